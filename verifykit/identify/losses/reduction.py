"""Tells from their coefficients at several sizes how the fields of a sum are reduced: the right way keeps them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, islice, product

import torch
from torch import Tensor

from verifykit.identify.losses.columns import Column, evaluated
from verifykit.identify.losses.field import Field, divisors
from verifykit.identify.losses.function import Point, Values
from verifykit.identify.losses.regression import fit
from verifykit.identify.numbers import simple

# How far coefficients found one size at a time may differ: they are refined over all sizes together.
CONSTANT = 1e-6
_EXACT = 1e-9

# How many fields that do the same, readings of each, and combinations of readings are looked at.
_MEMBERS, _READINGS, _COMBINATIONS = 8, 6, 64

# What a further term, and a number that is not simple, cost in comparison with a plainer field.
_PIECE, _ODD = 12, 8

# Significant digits of a coefficient that somebody may have written down.
_DECIMALS = 5


@dataclass(frozen=True)
class Piece:
    """A field under its ``reading``-th reduction, times ``coefficient``."""

    field: Field
    reading: int
    text: str
    coefficient: float

    @property
    def cost(self) -> int:
        """How far it is from what a person would write first."""
        odd = 0 if abs(self.coefficient) == 1 else _digits(self.coefficient)
        return self.field.cost + min(self.reading, 4) + odd

    def value(self, values: Values, sizes: Mapping[str, int]) -> Tensor:
        """Return what it adds to the loss, with its graph."""
        elements = self.field.of(values)
        divisor = list(divisors(self.field, sizes, elements.numel()))[self.reading][1]
        return self.coefficient * elements.sum() / divisor


@dataclass(frozen=True)
class Sum:
    """Pieces, and a constant beside them."""

    pieces: tuple[Piece, ...]
    intercept: float

    @property
    def cost(self) -> int:
        """That of its pieces, and of the constant: fewer come first."""
        return sum(_PIECE + piece.cost for piece in self.pieces) + (_PIECE if self.intercept else 0)

    def value(self, values: Values, sizes: Mapping[str, int]) -> Tensor:
        """Return the sum, with its graph."""
        parts = [piece.value(values, sizes) for piece in self.pieces]
        return torch.stack(parts).sum() + self.intercept if parts else torch.tensor(self.intercept)


def nearest(value: float) -> tuple[float, bool]:
    """Return the simple number that ``value`` is but for rounding, and whether there is one."""
    digits = _digits(value)
    if digits <= _DECIMALS:
        return float(f"{value:.{digits}g}"), True
    fraction = Fraction(value).limit_denominator(16)
    if fraction and abs(float(fraction) - value) <= _EXACT * abs(value):
        return float(fraction), True
    return value, simple(value) is not None


def _digits(value: float) -> int:
    """How many significant digits write ``value`` but for rounding; ``_ODD`` where more than a few."""
    known = range(1, _DECIMALS + 1)
    return next((d for d in known if abs(float(f"{value:.{d}g}") - value) <= _EXACT * abs(value)), _ODD)


Evaluate = Callable[[Field], tuple[Column, ...] | None]


def sums(groups: Sequence[Sequence[Field]], points: Sequence[Point], columns: Evaluate | None = None) -> list[Sum]:
    """Return the sums, one field of each group under one reduction, that give the loss at all ``points``, the plainest
    first; none where no reduction keeps the coefficients. Where ``points`` are a view of a loss, ``columns`` gives that
    of a field, and the sums give its gradient only.
    """
    seen: dict[Field, tuple[Column, ...]] = {}
    usable: list[list[Field]] = []
    for group in groups:
        for field in group[:_MEMBERS]:
            at = columns(field) if columns else evaluated(field, points)
            if at is not None:
                seen[field] = at
        usable.append([field for field in group if field in seen])
    found: list[Sum] = []
    for members in islice(product(*usable), _COMBINATIONS):
        coefficients = _coefficients([seen[field] for field in members], points)
        if coefficients is None:
            continue
        readings = [
            sorted(_readings(field, seen[field], coefficients[:, k], points), key=_reading_cost)[:_READINGS]
            for k, field in enumerate(members)
        ]
        for chosen in islice(product(*readings), _COMBINATIONS):
            one = _sum([piece for pieces in chosen for piece in pieces], seen, points, columns is None)
            if one is not None and one not in found:
                found.append(one)
    return sorted(found, key=lambda one: one.cost)


def _reading_cost(pieces: tuple[Piece, ...]) -> int:
    return sum(piece.cost for piece in pieces)


def _coefficients(columns: Sequence[tuple[Column, ...]], points: Sequence[Point]) -> Tensor | None:
    """One row per point: those of the columns of which the loss's gradient is a sum at all points of that size."""
    rows: dict[int, Tensor] = {}
    for first, point in enumerate(points):
        if first in rows:
            continue
        alike = [at for at, other in enumerate(points) if other.sizes == point.sizes]
        vector = torch.cat([points[at].gradient for at in alike])
        matrix = torch.stack([torch.cat([of[at].gradient for at in alike]) for of in columns], 1)
        if float(vector.norm()) == 0 or matrix.shape[0] < matrix.shape[1]:
            return None
        norms = matrix.norm(dim=0).clamp_min(1e-300)
        best = fit(matrix / norms, vector, range(len(columns)))
        if best.residual > _EXACT:
            return None
        rows |= dict.fromkeys(alike, best.coefficients / norms)
    return torch.stack([rows[at] for at in range(len(points))])


def _readings(
    field: Field, columns: Sequence[Column], coefficients: Tensor, points: Sequence[Point]
) -> Iterator[tuple[Piece, ...]]:
    table = [list(divisors(field, p.sizes, c.count)) for p, c in zip(points, columns, strict=True)]
    texts = [text for text, _ in table[0]]
    over = torch.tensor([[divisor for _, divisor in row] for row in table], dtype=torch.float64)
    constant = False
    for k, text in enumerate(texts):
        scaled = coefficients * over[:, k]
        if float(scaled.max() - scaled.min()) <= CONSTANT * float(scaled.abs().max()):
            constant = True
            yield (Piece(field, k, text, float(scaled.mean())),)
    if constant:
        return
    for i, j in combinations(range(len(texts)), 2):  # the same field under two reductions
        both = fit(1 / over, coefficients, (i, j))
        if both.residual <= CONSTANT and float(both.coefficients.abs().min()) > 0:
            yield tuple(Piece(field, k, texts[k], float(c)) for k, c in zip((i, j), both.coefficients, strict=True))


def _sum(
    pieces: Sequence[Piece], seen: Mapping[Field, tuple[Column, ...]], points: Sequence[Point], whole: bool
) -> Sum | None:
    """The pieces with coefficients fitted at all points together, and the constant that the values leave."""
    scales = [1 / (float(point.gradient.norm()) or 1.0) for point in points]
    divided: list[list[float]] = []
    stacked = []
    for piece in pieces:
        columns = seen[piece.field]
        over = [
            list(divisors(piece.field, p.sizes, c.count))[piece.reading][1]
            for p, c in zip(points, columns, strict=True)
        ]
        divided.append([c.total / d for c, d in zip(columns, over, strict=True)])
        stacked.append(torch.cat([c.gradient * (s / d) for c, d, s in zip(columns, over, scales, strict=True)]))
    matrix = torch.stack(stacked, 1)
    norms = matrix.norm(dim=0)
    vector = torch.cat([point.gradient * s for point, s in zip(points, scales, strict=True)])
    refined = fit(matrix / norms, vector, range(len(pieces)))
    if refined.residual > _EXACT:
        return None
    fitted = [nearest(float(c))[0] for c in refined.coefficients / norms]
    totals = torch.tensor(divided, dtype=torch.float64).T
    left = torch.tensor([point.total for point in points], dtype=torch.float64) - totals @ torch.tensor(
        fitted, dtype=torch.float64
    )
    size = float((totals.abs() @ torch.tensor(fitted, dtype=torch.float64).abs()).max())
    if whole and float(left.max() - left.min()) > _EXACT * size:
        return None
    intercept = float(left.mean()) if whole else 0.0
    rounded = tuple(Piece(p.field, p.reading, p.text, c) for p, c in zip(pieces, fitted, strict=True))
    return Sum(rounded, 0.0 if abs(intercept) <= _EXACT * size else nearest(intercept)[0])
