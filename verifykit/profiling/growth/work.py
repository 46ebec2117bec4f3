"""What a step does, counted: bytes that its operators touch, and FLOPs; and the exponents with which that grows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils._pytree import tree_leaves

from verifykit.profiling.flops import flops_of
from verifykit.profiling.growth.exact import exact_sum
from verifykit.tracing import OperatorMode

# A term that makes up less of the greatest count does not show in the time.
SEEN = 0.3


@dataclass(frozen=True)
class Work:
    """Bytes that operators read and write, all of them together; FLOPs where there are formulas; and the bytes of the
    largest tensor made.
    """

    bytes: int
    flops: int
    largest: int


class _Counter(OperatorMode):
    def __init__(self) -> None:
        super().__init__()
        self.bytes = self.flops = self.largest = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if not getattr(func, "is_view", False):
            made = _sizes(result)
            self.bytes += sum(made) + sum(_sizes((args, kwargs)))
            self.largest = max(self.largest, *made, 0)
            self.flops += flops_of(func, args, kwargs, result) or 0
        return result


def _sizes(tensors: Any) -> list[int]:
    return [leaf.numel() * leaf.element_size() for leaf in tree_leaves(tensors) if isinstance(leaf, Tensor)]


def count(run: Callable[[], Any]) -> Work:
    """Return what one ``run`` does."""
    with _Counter() as counter:
        run()
    return Work(counter.bytes, counter.flops, counter.largest)


def likely_exponents(sizes: Sequence[int], counts: Sequence[Sequence[int]]) -> set[float]:
    """Return the exponents above 0 with which ``counts`` grow, where that is exact and shows at the greatest size; 0 if
    none grows at all.
    """
    sums = [exact_sum(sizes, series) for series in counts]
    if all(found is not None and found.leading is None for found in sums):
        return {0.0}
    likely = set()
    for found, series in zip(sums, counts, strict=True):
        if found is not None and found.leading is not None:
            greatest = found.coefficient * float(found.leading(np.array([float(sizes[-1])]))[0])
            if greatest >= SEEN * series[-1]:
                likely.add(found.leading.power)
    return likely - {0.0}
