"""The derivative along one direction, by differences on a ladder of steps, with an error bar.

Central differences at steps ``h, h/3, h/9, ...`` are extrapolated twice (L. F. Richardson, 1911): the errors of order
``h**2`` and ``h**4`` cancel. Of all runs of three consecutive values, plain or extrapolated, the one that agrees best
is the estimate and its spread the error bar, as in C. J. F. Ridders, "Accurate computation of F'(x) and F'(x)F''(x)",
Advances in Engineering Software 4 (1982).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch

from verifykit.gradients.function import Tangents, Tensors, inner

FIRST_STEP, RATIO, RUNGS = 1e-2, 3.0, 15
EPS = torch.finfo(torch.float64).eps


@dataclass(frozen=True)
class Estimate:
    """``value`` is the derivative, known within ``bar``; ``gap`` is by how much the derivatives on the two sides differ
    as the step goes to zero: zero where the function is smooth, the height of the kink where it is not.

    ``growth`` is the ratio of the last difference quotient to the first; it is large at a jump.
    """

    value: float
    bar: float
    gap: float
    step: float
    growth: float
    evaluations: int

    @property
    def known(self) -> bool:
        """Whether there is a value at all: every step may have left the function's domain."""
        return math.isfinite(self.value)


@dataclass
class _Rung:
    step: float
    central: float
    gap: float


def estimate(
    function: Callable[[Tensors], Tensors],
    point: Tensors,
    tangents: Tangents,
    cotangents: Tensors,
    values: Tensors,
    good: float,
    rungs: int,
    size: float,
) -> Estimate:
    """Differentiate ``<cotangents, function(point + h * tangents)>`` at ``h = 0``.

    ``values`` are the outputs at ``point``, whose rounding error is in proportion to ``size``; the ladder ends early
    when the error bar is below ``good``.
    """
    ladder: list[_Rung] = []
    best: tuple[float, float, float] = (math.inf, math.nan, math.nan)
    evaluations = 0
    for rung in range(rungs):
        step = FIRST_STEP / RATIO**rung
        evaluations += 2
        found = _difference(function, point, tangents, cotangents, values, step)
        if found is None:
            ladder.clear()  # a step that leaves the domain breaks the run
            continue
        ladder.append(found)
        best = min(best, _best_window(ladder, size))
        if best[0] <= good:
            break
    bar, value, step = best
    if not ladder:
        return Estimate(math.nan, math.inf, math.nan, step, math.nan, evaluations)
    first, last = abs(ladder[0].central), abs(ladder[-1].central)
    return Estimate(
        value,
        bar,
        _limit_of_gap(ladder),
        step,
        last / first if first else 1.0,
        evaluations,
    )


def moved(point: Tensors, tangents: Tangents, step: float) -> Tensors:
    """Return ``point + step * tangents``, every tensor new; a leaf whose tangent is ``None`` stays."""
    return [p.clone() if v is None else torch.add(p, v, alpha=step) for p, v in zip(point, tangents, strict=True)]


def _difference(
    function: Callable[[Tensors], Tensors],
    point: Tensors,
    tangents: Tangents,
    cotangents: Tensors,
    values: Tensors,
    step: float,
) -> _Rung | None:
    try:
        ahead = function(moved(point, tangents, step))
        behind = function(moved(point, tangents, -step))
    except Exception:  # the function refuses what lies outside its domain; at the point itself it did not
        return None
    if [o.shape for o in ahead] != [v.shape for v in values]:
        return None
    # Differences are taken element by element before the sum, so that large outputs do not swallow small changes.
    central = inner(cotangents, [a - b for a, b in zip(ahead, behind, strict=True)]) / (2 * step)
    gap = inner(cotangents, [a + b - 2 * v for a, b, v in zip(ahead, behind, values, strict=True)]) / step
    return _Rung(step, central, gap) if math.isfinite(central) and math.isfinite(gap) else None


def _best_window(ladder: Sequence[_Rung], size: float) -> tuple[float, float, float]:
    """Return bar, value and step of the three newest values that agree best, over the columns of the tableau."""
    plain = [rung.central for rung in ladder[-5:]]
    once = _extrapolated(plain, RATIO**2)
    twice = _extrapolated(once, RATIO**4)
    step = ladder[-1].step
    rounding = 2 * EPS * size / step
    best = (math.inf, plain[-1], step)
    for column in (plain, once, twice):
        if len(column) >= 3:
            window = sorted(column[-3:])
            best = min(best, (window[2] - window[0] + rounding, window[1], step))
    return best


def _limit_of_gap(ladder: Sequence[_Rung]) -> float:
    """Extrapolate the gap between the one-sided derivatives, which is odd in the step where the function is smooth; of
    the values on the ladder the one that its neighbour confirms best.
    """
    once = _extrapolated([rung.gap for rung in ladder], RATIO)
    twice = _extrapolated(once, RATIO**3)
    candidates = [(abs(one - other), other) for column in (once, twice) for one, other in pairwise(column)]
    return min(candidates)[1] if candidates else ladder[-1].gap


def _extrapolated(values: Sequence[float], factor: float) -> list[float]:
    return [(factor * fine - coarse) / (factor - 1) for coarse, fine in pairwise(values)]
