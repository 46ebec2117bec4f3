"""The equations that a sum of fields must meet at drawn points: the gradients of both, entry by entry."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from verifykit.identify.losses.columns import Column, Stack
from verifykit.identify.losses.field import Field
from verifykit.identify.losses.function import Point

# Equations for each field: more say nothing new.
ENOUGH = 3


@dataclass(frozen=True)
class System:
    """Fields that can be evaluated at all ``points``, with what each is there. ``matrix`` holds the gradient of each in
    a column of norm 1, ``vector`` that of the loss. At each point both are relative to the loss's gradient there.
    """

    points: tuple[Point, ...]
    fields: tuple[Field, ...]
    columns: tuple[tuple[Column, ...], ...]
    matrix: Tensor
    vector: Tensor

    def at(self, points: Sequence[Point]) -> "System":
        """Return the same fields with another loss at the same values."""
        return _system(self.fields, self.columns, points)


def system_of(fields: Iterable[Field], points: Sequence[Point]) -> System:
    """Return the equations for ``fields`` at ``points``; what is not finite at some, or constant, is left out."""
    stack = Stack(points)
    kept: list[tuple[Field, tuple[Column, ...]]] = []
    for one in sorted(fields, key=lambda f: f.cost):
        columns = stack.columns(one)
        if columns is not None and any(bool((c.gradient != 0).any()) for c in columns):
            kept.append((one, columns))
    return _system([f for f, _ in kept], [c for _, c in kept], points)


def _rows(count: int, enough: int) -> Tensor:
    """Which of ``count`` equations are kept: ``enough`` of them, by chance."""
    if count <= enough:
        return torch.arange(count)
    return torch.randperm(count, generator=torch.Generator().manual_seed(0))[:enough]


def _system(fields: Sequence[Field], columns: Sequence[tuple[Column, ...]], points: Sequence[Point]) -> System:
    scales = [1 / (float(point.gradient.norm()) or 1.0) for point in points]
    vector = torch.cat([point.gradient * s for point, s in zip(points, scales, strict=True)])
    matrix = torch.zeros(len(vector), 0, dtype=vector.dtype)
    if fields:
        blocks = [torch.stack([of[at].gradient for of in columns], 1) * s for at, s in enumerate(scales)]
        matrix = torch.cat(blocks)
        rows = _rows(len(vector), ENOUGH * len(fields) + 200)
        matrix, vector = matrix[rows], vector[rows]
        matrix = matrix / matrix.norm(dim=0).clamp_min(1e-300)
        finite = matrix.isfinite().all(0)  # beside a small gradient of the loss a large one may overflow
        if not bool(finite.all()):
            left = finite.nonzero().flatten().tolist()
            fields, columns, matrix = [fields[i] for i in left], [columns[i] for i in left], matrix[:, finite]
    return System(tuple(points), tuple(fields), tuple(columns), matrix, vector)
