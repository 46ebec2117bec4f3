"""Memory of one training step, and what further calls leave behind."""

import time
from collections.abc import Iterable, Sequence
from functools import partial

from torch import Tensor

from verifykit.profiling.allocations import uses
from verifykit.profiling.retention import kept, python_bytes
from verifykit.profiling.saved import saved_tensors
from verifykit.profiling.step import TrainingStep, on_a_step
from verifykit.profiling.workload import Workload
from verifykit.results.cost import Memory
from verifykit.spec.subject import named_tensors

WARM_UP = 2
# Calls that are looked at; where they leave something, so many more, in four parts, within so many seconds.
FURTHER = 4
MORE = (16, 160)
SECONDS = 0.3


def measure_memory(load: Workload) -> Memory:
    """Return the memory of one training step of ``load``, in training mode where the module runs in it, in bytes.

    On the CPU it is what torch's allocator was asked for, which leaves out scratch that a library allocates by itself.
    The module is left as it was. Whatever the module raises in both modes passes through.
    """
    return on_a_step(load, _measured)


def _measured(step: TrainingStep) -> Memory:
    load = step.load
    outputs: list[int] = []
    parts = [
        step.feed,
        step.forward,
        step.backward,
        lambda: outputs.append(_bytes(named_tensors(step.result).values())),
    ]
    warm_up = [step.prepare, *[step.whole] * WARM_UP]
    started = time.perf_counter()
    found = uses([*warm_up, *parts, step.drop], cuda=load.cuda)
    seconds = (time.perf_counter() - started) / (WARM_UP + 2)
    forward, backward = found[len(warm_up) + 1 : len(warm_up) + 3]
    per_call = _kept(step, seconds)
    held = kept(load.module, step.whole) if per_call else None
    saved = saved_tensors(load)
    return Memory(
        inputs=_bytes(load.inputs),
        outputs=outputs[0],
        parameters=_bytes(load.module.parameters()),
        buffers=_bytes(load.module.buffers()),
        forward_peak=forward.peak,
        backward_peak=forward.left + backward.peak if load.differentiable else None,
        allocated=forward.allocated + backward.allocated,
        saved=sum(tensor.bytes for tensor in saved),
        saved_tensors=saved,
        kept_per_call=per_call,
        kept_at=held.location if held else None,
        kept_graph=held is not None and held.has_graph,
    )


def _kept(step: TrainingStep, seconds: float) -> float:
    """Return the bytes that a call leaves behind for ever; a cache that fills up is none of it."""
    if sum(_left(step, [1] * FURTHER)) <= 0:
        return 0.0
    least, most = MORE
    # A graph that leads back makes each call slower than the last.
    quarter = (least if step.leads_back else int(min(max(SECONDS / seconds, least), most))) // 4
    _, *later = _left(step, [quarter] * 4)
    return sum(later) / (quarter * len(later)) if min(later) > 0 else 0.0


def _left(step: TrainingStep, times: Sequence[int]) -> list[int]:
    """Return what so many calls, and then so many more, leave behind, in tensors and in what the module holds."""
    module = step.load.module
    held = [python_bytes(module)]

    def calls(count: int) -> None:
        for _ in range(count):
            step.whole()
        held.append(python_bytes(module))

    # The first call frees what was allocated before, which is not followed.
    _, *tensors = uses([step.whole, *(partial(calls, count) for count in times)], cuda=step.load.cuda)
    return [use.left or now - before for use, before, now in zip(tensors, held, held[1:], strict=False)]


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(t.numel() * t.element_size() for t in tensors)
