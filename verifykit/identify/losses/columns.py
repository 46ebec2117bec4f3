"""Fields at points: their totals and gradients."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from verifykit.identify.losses.field import Field
from verifykit.identify.losses.function import Point, gradient_of


@dataclass(frozen=True)
class Column:
    """A field, added up, at a point: its total, its gradient, and the number of its elements."""

    total: float
    gradient: Tensor
    count: int


class Stack:
    """Points at which fields are evaluated: pointwise ones at once, where the points have one size."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.points = tuple(points)
        first = self.points[0]
        self.values: dict[str, Tensor] = {}
        if len(self.points) > 1 and all(point.sizes == first.sizes for point in self.points):
            for name, tensor in first.values.items():
                stacked = torch.stack([point.values[name].detach() for point in self.points])
                self.values[name] = stacked.requires_grad_(tensor.requires_grad)

    def columns(self, of: Field) -> tuple[Column, ...] | None:
        """Return ``of`` at every point; ``None`` where it cannot be had, or is not finite, at one of them."""
        if of.pointwise and self.values:
            return self._at_once(of)
        return evaluated(of, self.points)

    def _at_once(self, of: Field) -> tuple[Column, ...] | None:
        try:
            elements = of.of(self.values)
            if not elements.is_floating_point() or elements.numel() == 0:
                return None
            totals = elements.reshape(len(self.points), -1).sum(1)
            leaves = [tensor for tensor in self.values.values() if tensor.requires_grad]
            found = torch.autograd.grad(totals.sum(), leaves, allow_unused=True) if totals.requires_grad else ()
        except Exception:  # not a function of inputs like these
            return None
        parts = [
            (torch.zeros_like(leaf) if one is None else one).reshape(len(self.points), -1)
            for one, leaf in zip(found or [None] * len(leaves), leaves, strict=True)
        ]
        gradients = torch.cat(parts, 1)
        if not bool(gradients.isfinite().all()) or not bool(totals.isfinite().all()):
            return None
        count = elements.numel() // len(self.points)
        return tuple(Column(total, row, count) for total, row in zip(totals.tolist(), gradients, strict=True))


def evaluated(of: Field, points: Sequence[Point]) -> tuple[Column, ...] | None:
    """Return ``of`` at every point, of whatever sizes; ``None`` where it cannot be had at one of them."""
    found = []
    for point in points:
        at = _column(of, point)
        if at is None:
            return None
        found.append(at)
    return tuple(found)


def _column(of: Field, point: Point) -> Column | None:
    try:
        elements = of.of(point.values)
        if not elements.is_floating_point() or elements.numel() == 0:
            return None
        total = elements.sum()
        gradient = gradient_of(total, point.values)
    except Exception:  # not a function of inputs like these
        return None
    if not bool(gradient.isfinite().all()) or not bool(total.isfinite()):
        return None
    return Column(float(total.detach()), gradient, elements.numel())
