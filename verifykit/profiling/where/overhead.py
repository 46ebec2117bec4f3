"""The share of forward's time that goes to Python and dispatch rather than to kernels."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch._C._autograd import DeviceType
from torch.utils._pytree import tree_leaves, tree_map

from verifykit.profiling.recording import record
from verifykit.profiling.step import TrainingStep
from verifykit.tracing import OperatorMode

# Each is timed so often, within so many seconds, and the least time counts: the rest is the machine's other work.
REPEATS = 15
SECONDS = 0.1
SECONDS_EACH = 0.03
# Integer arguments that are no sizes of a tensor.
_NO_SIZES = {"dim", "dims", "dim0", "dim1", "axis", "stride", "padding", "dilation", "groups", "output_padding"}
_NO_SIZES |= {"dtype", "reduction", "ignore_index", "layout", "memory_format", "diagonal", "correction"}
NANOSECOND = 1e-9


def overhead_of(step: TrainingStep) -> float:
    """Return the share, from 0 to 1, of one forward's wall time that is no kernel's.

    On the CPU the time of an operator's kernel is what it takes on its tensors less what it takes on tensors of one
    element, both called in the same way. On a device it is what its profiler says.
    """
    step.prepare()
    wall = _least(step.forward, SECONDS, before=step.feed, cuda=step.load.cuda)
    kernels = _on_device(step) if step.load.cuda else _on_host(step)
    step.drop()
    return min(max(1 - kernels / wall, 0.0), 1.0)


def _least(
    run: Callable[[], Any], seconds: float, *, before: Callable[[], Any] = lambda: None, cuda: bool = False
) -> float:
    """Return the least time of ``run`` among some, in seconds."""
    times: list[float] = []
    while len(times) < 2 or (len(times) < REPEATS and sum(times) < seconds):
        before()
        if cuda:
            torch.cuda.synchronize()
        started = time.perf_counter()
        run()
        if cuda:
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return min(times)


def _on_host(step: TrainingStep) -> float:
    step.feed()
    kernels = _Kernels()
    with kernels:
        step.forward()
    return kernels.seconds


def _on_device(step: TrainingStep) -> float:
    step.feed()
    recorded = record(step.forward, cuda=True)
    nanoseconds = (
        int(event.duration_ns())
        for event in recorded.kineto_results.events()  # type: ignore[union-attr]
        if event.device_type() == DeviceType.CUDA
    )
    return sum(nanoseconds) * NANOSECOND


class _Kernels(OperatorMode):
    """Times each operator, once for the same shapes, and adds up what their kernels take."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self._known: dict[Any, float] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if not func.is_view:
            key = func, str(tree_map(_described, (args, kwargs)))
            if key not in self._known:
                self._known[key] = _kernel_seconds(func, args, kwargs)
            self.seconds += self._known[key]
        return func(*args, **kwargs)


def _described(value: Any) -> Any:
    return (value.dtype, value.shape, value.layout) if isinstance(value, Tensor) else value


def _kernel_seconds(func: Any, args: Any, kwargs: Any) -> float:
    if func._schema.is_mutable:
        args, kwargs = tree_map(lambda leaf: leaf.clone() if isinstance(leaf, Tensor) else leaf, (args, kwargs))
    return max(_least(partial(func, *args, **kwargs), SECONDS_EACH) - _dispatch_seconds(func, args, kwargs), 0.0)


def _dispatch_seconds(func: Any, args: Any, kwargs: Any) -> float:
    """Return what calling ``func`` takes on tensors of one element; of an operator that cannot be called so, what the
    simplest one takes.
    """
    if _may_shrink(func):
        small = tree_map(lambda leaf: _shrunk(leaf) if isinstance(leaf, Tensor) else leaf, (args, kwargs))
        try:
            if all(t.numel() <= 1 for t in tree_leaves(func(*small[0], **small[1])) if isinstance(t, Tensor)):
                return _least(partial(func, *small[0], **small[1]), SECONDS_EACH)
        except Exception:  # it does not take such sizes
            pass
    one = torch.zeros(1)
    return _least(partial(torch.ops.aten.clone.default, one), SECONDS_EACH)


def _may_shrink(func: Any) -> bool:
    """Whether its sizes are those of its tensors alone; one that is also told them might read beyond their ends."""
    arguments = func._schema.arguments
    return func.namespace == "aten" and not any(
        "int" in str(argument.type).lower() and argument.name not in _NO_SIZES for argument in arguments
    )


def _shrunk(tensor: Tensor) -> Tensor:
    make = torch.ones if tensor.is_floating_point() or tensor.is_complex() else torch.zeros
    return make((1,) * tensor.ndim, dtype=tensor.dtype, device=tensor.device)
