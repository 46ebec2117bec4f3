"""What a module computes: FLOPs, what has no formula for them, and the bytes that it must move."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from verifykit.profiling.flops import flops_of
from verifykit.profiling.recording import record
from verifykit.profiling.traffic import Traffic
from verifykit.profiling.workload import Workload
from verifykit.results.cost import Uncounted, Work
from verifykit.spec.subject import named_tensors
from verifykit.tracing import OperatorMode

# Operators that move or make data and compute nothing; views are recognised by themselves.
_MOVES = re.compile(
    r"_?(new_\w+|\w+_like|\w*copy\w*|(select|slice)_(backward|scatter)|(unsafe_)?(view|split\w*)|_?reshape_alias"
    r"|arange|cat|clone|constant_pad_nd|detach|embedding|empty|fill|flip|full|gather|index(_put|_select)?|masked_fill"
    r"|ones|pad|resize|roll|scalar_tensor|set|stack|where|zeros?)_?"
)


class _Counter(OperatorMode):
    """Counts FLOPs operator by operator, and notes which operators ran, and what they read of ``leaves``."""

    supports_higher_order_operators = True

    def __init__(self, leaves: Iterable[Tensor] = ()) -> None:
        super().__init__()
        self.flops = 0
        self.seen: set[str] = set()
        self.uncounted: dict[str, None] = {}
        self.traffic = Traffic(leaves)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if torch.is_inference_mode_enabled() and isinstance(func, torch._ops.OpOverload):
            with self:  # in inference mode composite operators come here whole
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        result = func(*args, **kwargs)
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        if isinstance(func, torch._ops.OpOverload):
            self.traffic.note(func, args, tensors)
        if tensors:
            self._count(func, args, kwargs, result)
        return result

    def _count(self, func: Any, args: Any, kwargs: Any, result: Any) -> None:
        name = func._schema.name if isinstance(func, torch._ops.OpOverload) else func.name()
        self.seen.add(name)
        flops = flops_of(func, args, kwargs, result)
        if flops is not None:
            self.flops += flops
        elif not getattr(func, "is_view", False) and not _MOVES.fullmatch(name.rpartition("::")[2]):
            self.uncounted[name] = None


def count_work(load: Workload) -> Work:
    """Count the FLOPs of forward and backward, and the bytes that forward must move.

    A FLOP of a complex product is one of the real ones that it is made of. The bytes are those of the inputs,
    parameters and buffers that forward reads and of its outputs, each once; of a table, the rows that it looks up.
    Attention that is masked or causal counts as if it were not, as torch counts it.
    """
    forward, result = _counted_forward(load)
    least_bytes = forward.traffic.least_bytes(named_tensors(result).values())
    backward = _Counter()
    if load.differentiable:
        with load.default(), backward:
            load.vjp(load.outputs(result), keep=False)()
    missing = {**forward.uncounted, **backward.uncounted}
    shares = _shares(load, forward.seen | backward.seen) if missing else {}
    uncounted = [Uncounted(name, shares.get(name, 0.0)) for name in missing]
    return Work(
        forward.flops,
        backward.flops if load.differentiable else None,
        least_bytes,
        sorted(uncounted, key=lambda one: -one.share),
    )


def count_forward(load: Workload) -> tuple[int, int]:
    """Return the FLOPs of forward and the bytes that it must move, as :func:`count_work` does, and nothing else."""
    counter, result = _counted_forward(load)
    return counter.flops, counter.traffic.least_bytes(named_tensors(result).values())


def _counted_forward(load: Workload) -> tuple[_Counter, Any]:
    counter = _Counter([*load.inputs, *load.module.parameters(), *load.module.buffers()])
    with load.default(), _layer_by_layer(), counter:
        return counter, load.forward()


@contextmanager
def _layer_by_layer() -> Iterator[None]:
    """Run the body without torch's fast path for attention, whose one operator hides what it is made of."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _shares(load: Workload, seen: set[str]) -> Counter[str]:
    """The share of the time of a step that each operator of ``seen`` takes with all that it calls: an operator's own
    time is often spent in others, as that of ``mean`` in ``sum``.
    """
    with load.default(), _layer_by_layer():
        recorded = record(load.step, warm_up=1, cuda=load.cuda)
    times: Counter[str] = Counter()
    for event in recorded.function_events or []:
        own = event.self_device_time_total if load.cuda else event.self_cpu_time_total
        called_by = event
        parent = event.cpu_parent
        while parent is not None:
            if parent.name in seen:
                called_by = parent
            parent = parent.cpu_parent
        times[called_by.name] += max(own, 0)
    total = sum(times.values()) or 1
    return Counter({name: time / total for name, time in times.items()})
