"""Functions that a loss may apply to a sum of terms."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from verifykit.identify.losses.function import Point


@dataclass(frozen=True)
class Outer:
    """A function applied to a sum of terms: how it reads, itself, its inverse, and the slope of the inverse."""

    text: str
    of: Callable[[Tensor], Tensor]
    inverse: Callable[[float], float]
    slope: Callable[[float], float]

    def undone(self, point: Point) -> Point | None:
        """Return ``point`` with the sum that the function was applied to, ``None`` where that is no number."""
        try:
            total, slope = self.inverse(point.total), self.slope(point.total)
        except (ValueError, OverflowError, ZeroDivisionError):
            return None
        if not math.isfinite(total) or not math.isfinite(slope) or slope == 0:
            return None
        return replace(point, total=total, gradient=slope * point.gradient)


PLAIN = Outer("{}", lambda x: x, lambda y: y, lambda y: 1.0)

OUTERS = (
    Outer("sqrt({})", torch.sqrt, lambda y: y**2 if y > 0 else math.nan, lambda y: 2 * y),
    Outer("log({})", torch.log, math.exp, math.exp),
    Outer("-log({})", lambda x: -x.log(), lambda y: math.exp(-y), lambda y: -math.exp(-y)),
    Outer("exp({})", torch.exp, math.log, lambda y: 1 / y),
    Outer("1 - exp({})", lambda x: 1 - x.exp(), lambda y: math.log(1 - y), lambda y: -1 / (1 - y)),
    Outer("({})²", torch.square, math.sqrt, lambda y: 0.5 / math.sqrt(y)),
    Outer("1 / ({})", torch.reciprocal, lambda y: 1 / y, lambda y: -1 / y**2),
)
