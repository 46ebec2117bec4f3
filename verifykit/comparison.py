"""Comparing two tensors that ought to agree up to rounding."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

ORDERED = {torch.float64: torch.int64, torch.float32: torch.int32}


@dataclass(frozen=True)
class Difference:
    """The worst element of a comparison. ``excess`` is error / tolerance: above 1 the tensors disagree."""

    index: tuple[int, ...]
    actual: complex | float | int | bool
    expected: complex | float | int | bool
    error: float
    tolerance: float
    ulps: int | None

    @property
    def excess(self) -> float:
        """Error in units of the tolerance; infinite where one of the two is not finite and the other differs."""
        if self.error == 0.0:
            return 0.0
        return self.error / self.tolerance if self.tolerance > 0 else float("inf")


def worst_difference(actual: Tensor, expected: Tensor, tolerance: float) -> Difference | None:
    """Return the element of two tensors of one shape and dtype that differ the most, ``None`` for empty ones.

    Two NaNs agree, as do two equal infinities; otherwise what is not finite on one side only has infinite error.
    """
    if actual.numel() == 0:
        return None
    wide = torch.complex128 if actual.is_complex() else torch.float64
    one, other = actual.detach().to(wide).flatten(), expected.detach().to(wide).flatten()
    agree = (one == other) | (one.isnan() & other.isnan())
    error = torch.where(agree, 0.0, (one - other).abs())
    error = torch.where(error.isnan(), torch.inf, error)
    at = int(error.argmax())
    index = unravelled(at, actual.shape)
    a, e = actual.detach().flatten()[at], expected.detach().flatten()[at]
    return Difference(index, a.item(), e.item(), float(error[at]), tolerance, ulp_distance(a, e))


def unravelled(flat: int, shape: Sequence[int]) -> tuple[int, ...]:
    """Return the index in a tensor of ``shape`` of its ``flat``-th element in order of rows."""
    return tuple(int(i) for i in np.unravel_index(flat, tuple(shape)))  # torch's own imports half a second of sympy


def ulp_distance(one: Tensor, other: Tensor) -> int | None:
    """Return how many representable numbers lie between two scalars of one real dtype, ``None`` for other dtypes.

    Source: B. Dawson, "Comparing Floating Point Numbers" (2012): the bit patterns of one sign are ordered as integers.
    """
    if one.dtype not in ORDERED or not (one.isfinite() and other.isfinite()):
        return None

    def position(value: Tensor) -> int:
        bits = int(value.view(ORDERED[value.dtype]).item())
        return bits if bits >= 0 else -(bits & (torch.iinfo(ORDERED[value.dtype]).max))

    return abs(position(one) - position(other))


def rounding_tolerance(double: Tensor, single: Tensor, dtype: torch.dtype) -> float:
    """Return what two correct evaluations in ``dtype`` may differ by: 32 units of rounding of the greatest value, plus
    16 times the rounding error that one of them is seen to have, scaled to ``dtype``.

    That error is the greatest difference between its evaluation in ``single`` and in ``double`` precision at the same
    point, and carries the cancellation and the length of reductions that a bound on the result alone does not know.
    """
    finite = double.abs()[double.isfinite()]
    if finite.numel() == 0:
        return 0.0
    gap = (single.to(double.dtype) - double).abs()
    seen = float(gap[gap.isfinite()].max()) if gap.isfinite().any() else 0.0
    eps = torch.finfo(dtype).eps
    return eps * (32 * float(finite.max()) + 16 * seen / torch.finfo(torch.float32).eps)
