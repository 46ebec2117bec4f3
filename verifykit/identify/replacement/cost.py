"""What target and reference cost side by side: time, parameters, and what is kept for the backward."""

import torch
from torch import Tensor

from verifykit.identify.facts import Facts
from verifykit.profiling.timing import time_alternately
from verifykit.profiling.workload import Workload
from verifykit.results import Timing
from verifykit.results.comparison import Cost
from verifykit.spec.reference import Reference

DTYPE = torch.float32


def costs(facts: Facts, reference: Reference) -> tuple[Cost, Cost]:
    """Return the costs of the target and of ``reference`` in eval mode at the usual sizes, timed in turn. What they
    raise passes through.
    """
    subject, sizes = facts.subject, facts.subject.spec.usual_sizes
    loads = [
        Workload(subject.target.name, subject.build(DTYPE), subject.call, subject.draw(dtype=DTYPE), subject.seed),
        Workload(
            str(reference),
            reference.build(DTYPE, subject.device, seed=subject.seed),
            reference.call,
            subject.draw(dtype=DTYPE),
            subject.seed,
        ),
    ]
    for load in loads:
        load.prepare()
    first, second = (_cost(load, sizes, *timing) for load, timing in zip(loads, time_alternately(loads), strict=True))
    return first, second


def saved_bytes(load: Workload) -> int:
    """Return how many bytes autograd keeps from forward to backward, parameters and buffers left out."""
    own = {t.untyped_storage().data_ptr() for t in [*load.module.parameters(), *load.module.buffers()]}
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        outputs = load.forward()
    # Counted while the outputs live, and with them all that is kept: no address stands for two tensors.
    total = sum(kept.values())
    del outputs
    return total


def _cost(load: Workload, sizes: dict[str, int], forward: Timing, backward: Timing | None) -> Cost:
    parameters = list(load.module.parameters())
    return Cost(
        load.name,
        sizes,
        forward,
        backward,
        sum(p.numel() for p in parameters),
        sum(p.numel() * p.element_size() for p in parameters),
        saved_bytes(load),
    )
