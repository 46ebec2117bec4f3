"""What can be said of a loss that is no sum of known terms: those that are in it, and how much they leave."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from verifykit.identify.losses.columns import evaluated
from verifykit.identify.losses.field import Field, divisors, typeset
from verifykit.identify.losses.function import LossFunction, Point, gradient_of
from verifykit.identify.losses.reduction import Piece, Sum, nearest, sums
from verifykit.identify.losses.regression import clustered, exact_fits, fit
from verifykit.identify.losses.system import System
from verifykit.identify.losses.views import View, views
from verifykit.results.identity import Decomposition, Term

# A further term must take this share of what the others leave, and there are so many at most.
GAIN = 0.5
MOST = 4

# Points at each size at which the share that is left is measured.
DRAWN = 6


def described(
    function: LossFunction, system: System, others: Sequence[Point], sizes: Sequence[Mapping[str, int]]
) -> Decomposition:
    """Return the terms that are in the loss as far as they can be told, and the share of its variance over drawn inputs
    that is left without them: never 0.
    """
    pieces = _established(function, system, others)
    left, examples, worst = _share(function, pieces, sizes)
    points = [_without(point, pieces) for point in (*system.points, *others)]
    rest = system.at(points[: len(system.points)])
    more = pieces + _reduced([rest.fields[k] for k in _greedy(rest)], points)
    with_more, _, worst_with_more = _share(function, more, sizes)
    if with_more < left:
        pieces, left, worst = more, with_more, worst_with_more
    terms = [Term(p.coefficient, typeset(p.text), nearest(p.coefficient)[1]) for p in pieces]
    domain = "; ".join(str(entry) for entry in function.subject.spec.inputs)
    return Decomposition(terms, min(left, 1.0) or 1e-300, examples, worst, domain)


def _established(function: LossFunction, system: System, others: Sequence[Point]) -> list[Piece]:
    """The terms of which some view of the loss is an exact sum: what cancels there has no part in it, known or not."""
    found: list[Piece] = []
    points = [*system.points, *others]
    for view in views(function, points):
        rest = _rest(view, points, found)
        part = view.system(system, rest[: len(system.points)])
        clusters = clustered(part.matrix)
        leading = [cluster[0] for cluster in clusters]
        if not leading or float(part.vector.norm()) == 0 or len(part.vector) < 1.5 * len(leading):
            continue
        known: list[Sum] = []
        for one in exact_fits(part.matrix[:, leading], part.vector, [part.fields[k].cost for k in leading]):
            groups = [[part.fields[k] for k in clusters[c]] for c in one.support]
            known += sums(groups, rest, partial(view.columns, points=points))[:MOST]
        if known:
            whole = [_without(point, found) for point in system.points]
            found += min(known, key=lambda one: (_left(one, whole), one.cost)).pieces
    return found


def _rest(view: View, points: Sequence[Point], found: Sequence[Piece]) -> list[Point]:
    """What is seen of the loss less what is found; nothing where that is rounding."""
    seen = [view.point(point) for point in points]
    if not found:
        return seen
    rest = []
    for point, before in zip(points, seen, strict=True):
        gradient = before.gradient.clone()
        for piece in found:
            columns = view.columns(piece.field, [point])
            assert columns is not None
            divisor = list(divisors(piece.field, point.sizes, columns[0].count))[piece.reading][1]
            gradient -= piece.coefficient / divisor * columns[0].gradient
        if float(gradient.norm()) <= 1e-11 * float(point.gradient.norm()):
            gradient = torch.zeros_like(gradient)
        rest.append(replace(before, gradient=gradient))
    return rest


def _left(one: Sum, points: Sequence[Point]) -> float:
    """The share of the gradient with respect to all leaves that a sum leaves, to two digits."""
    shares = [float(_without(p, one.pieces).gradient.norm() / p.gradient.norm()) for p in points]
    return float(f"{sum(shares):.2g}")


def _without(point: Point, pieces: Sequence[Piece]) -> Point:
    """The point of the loss less ``pieces``."""
    if not pieces:
        return point
    total = torch.stack([piece.value(point.values, point.sizes) for piece in pieces]).sum()
    rest = point.gradient - gradient_of(total, point.values)
    rounding = 1e-12 * float(point.gradient.norm())
    return replace(
        point,
        total=point.total - float(total.detach()),
        gradient=torch.zeros_like(rest) if float(rest.norm()) <= rounding else rest,
    )


def _greedy(system: System) -> list[int]:
    """The columns that, chosen one by one, leave least of the loss's gradient."""
    columns = [cluster[0] for cluster in clustered(system.matrix)]
    matrix, vector = system.matrix[:, columns], system.vector
    chosen: list[int] = []
    left, rest = 1.0, vector
    while len(chosen) < MOST and matrix.shape[1] > len(chosen) and float(vector.norm()) > 0:
        best = int((matrix.T @ rest).abs().argmax())
        if best in chosen:
            break
        fitted = fit(matrix, vector, [*chosen, best])
        if fitted.residual**2 > (1 - GAIN) * left**2:
            break
        chosen.append(best)
        left, rest = fitted.residual, vector - matrix[:, chosen] @ fitted.coefficients
    return [columns[k] for k in chosen]


def _reduced(fields: Sequence[Field], points: Sequence[Point]) -> list[Piece]:
    """The fields under the reductions that keep their coefficients best from size to size."""
    seen = {field: columns for field in fields if (columns := evaluated(field, points)) is not None}
    if not seen:
        return []
    rows = []
    for at, point in enumerate(points):
        matrix = torch.stack([columns[at].gradient for columns in seen.values()], 1)
        norms = matrix.norm(dim=0).clamp_min(1e-300)
        rows.append(fit(matrix / norms, point.gradient, range(len(seen))).coefficients / norms)
    pieces = []
    for k, (field, columns) in enumerate(seen.items()):
        table = [list(divisors(field, p.sizes, c.count)) for p, c in zip(points, columns, strict=True)]
        scaled = [
            torch.stack([row[k] * over[reading][1] for row, over in zip(rows, table, strict=True)])
            for reading in range(len(table[0]))
        ]
        reading = min(range(len(scaled)), key=lambda r: float(scaled[r].std() / scaled[r].mean().abs()))
        pieces.append(Piece(field, reading, table[0][reading][0], float(scaled[reading].median())))
    return pieces


def _share(
    function: LossFunction, pieces: Sequence[Piece], sizes: Sequence[Mapping[str, int]]
) -> tuple[float, int, float]:
    """The share of the variance that is left, the number of points, and the greatest error relative to the greatest
    value.
    """
    totals: list[float] = []
    left: list[float] = []
    with torch.no_grad():
        for at in sizes:
            for seed in range(DRAWN):
                values = function.draw(at, 8000 + seed, 1.0)
                total = float(function.total(values, seed))
                totals.append(total)
                left.append(total - sum(float(piece.value(values, at)) for piece in pieces))
    y, rest = (torch.tensor(numbers, dtype=torch.float64) for numbers in (totals, left))
    spread = float(y.var(unbiased=False))
    if spread == 0:
        return 1.0, len(totals), _worst(rest, y)
    return float(rest.var(unbiased=False)) / spread, len(totals), _worst(rest - rest.mean(), y)


def _worst(rest: Tensor, y: Tensor) -> float:
    return float(rest.abs().max()) / (float(y.abs().max()) or 1.0)
