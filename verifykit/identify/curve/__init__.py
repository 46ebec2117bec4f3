"""What an elementwise module looks like: its values, limits, monotone pieces, kinks and jumps."""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
import numpy as np
from torch import Tensor
from torch.func import functional_call

from verifykit.experiments.behaviour.effects import state_of
from verifykit.identify.candidate import Match
from verifykit.identify.curve.extent import finite_runs
from verifykit.identify.curve.limits import limit
from verifykit.identify.curve.pieces import Piece
from verifykit.identify.curve.run import Run
from verifykit.identify.curve.scalar import Array, Elements, Function, scalar_function
from verifykit.identify.curve.scale import Scale, scale_of
from verifykit.identify.curve.window import chart_points
from verifykit.identify.facts import facts_of
from verifykit.results.identity import Curve
from verifykit.spec.subject import Subject, named_tensors

T = TypeVar("T")

# Breaks are looked for in these cells: fine ones near zero, then 2% of the distance from it. No number that people
# write is among their ends.
_NEAR, _CELL, _FAR, _RATIO = 16.0, 0.008, 1e4, 1.02

LISTED = 8


def describe(subject: Subject) -> Curve | None:
    """Return what the module does to each element in eval mode, ``None`` where that is nothing, or where an element of
    the output depends on more than the element in its place. What the module raises passes through.
    """
    f = scalar_function(facts_of(subject))
    return _described(f) if f else None


def beside(curve: Curve, subject: Subject, match: Match) -> Curve:
    """Return ``curve`` with the candidate of ``match`` at the same points, by itself, fed with what corresponds to the
    parameters of ``subject``. What it raises passes through.
    """
    reference, built = match.candidate.reference, subject.build()
    module = reference.build(next(iter(subject.draw())).dtype, subject.device, seed=subject.seed)
    state = match.arrangement.arrange(state_of(built))
    place = next(iter(match.outputs.values()))

    def call(x: Tensor) -> Tensor:
        return named_tensors(functional_call(module, state, (x,)))[place]

    x = np.array([at for at, _ in curve.points])
    y = Elements(subject.spec, call)(x)
    points = [(float(a), float(b)) for a, b in zip(x, y, strict=True) if math.isfinite(b)]
    return msgspec.structs.replace(curve, nearest=match.candidate.name, nearest_points=points)


def _described(f: Function) -> Curve | None:
    with np.errstate(all="ignore"):
        x = _grid()
        y = f(x)
        finite = np.isfinite(y)
        if not finite.any() or np.array_equal(x, y):
            return None
        scale = scale_of(f, x[finite], y[finite])
        runs = [Run(f, x[part], y[part], low, high, scale) for low, high, part in finite_runs(f, x, y)]
        breaks = [one for run in runs for one in run.breaks]
        pieces = [piece for run in runs for piece in run.pieces]
        shown, listed = _nearest(breaks, lambda one: abs(one.at)), _listed(pieces, y[finite], scale)
        ends = limit(f, -1, scale.typical), limit(f, 1, scale.typical)
        bounds = [*(run.bounds for run in runs), *((end.low, end.high) for end in ends)]
        least, greatest = min(low for low, _ in bounds), max(high for _, high in bounds)
        slopes, domain = [run.slope for run in runs], [(run.low, run.high) for run in runs]
        return Curve(
            at_zero=float(f(np.zeros(1))[0]),
            at_minus_infinity=ends[0].text,
            at_infinity=ends[1].text,
            pieces=listed,
            breaks=sorted(shown, key=lambda one: one.at),
            lipschitz=max(slopes) if math.isfinite(max(slopes)) else None,
            points=chart_points(f, x, y, domain, shown, listed),
            domain=domain,
            least=least if math.isfinite(least) else None,
            greatest=greatest if math.isfinite(greatest) else None,
            more_breaks=len(breaks) - len(shown) + sum(run.more_breaks for run in runs),
            more_pieces=0 if _spans(listed, runs) else max(len(pieces) - len(listed), 1),
        )


def _grid() -> Array:
    near = np.arange(-_NEAR, _NEAR, _CELL) + _CELL / math.pi
    far = np.geomspace(_NEAR * 1.001, _FAR, round(math.log(_FAR / _NEAR) / math.log(_RATIO)))
    return np.concatenate([-far[::-1], near, far])


def _nearest(items: Sequence[T], distance: Callable[[T], float]) -> list[T]:
    return sorted(items, key=distance)[:LISTED]


def _listed(pieces: Sequence[Piece], y: Array, scale: Scale) -> list[Piece]:
    """Those nearest zero, in order; a staircase is one piece."""
    if len(pieces) <= LISTED:
        return list(pieces)
    steps, noise = np.diff(y), scale.noise(y[1:])
    for name, back in (("rising", steps < -noise), ("falling", steps > noise)):
        if not back.any():
            return [(-math.inf, math.inf, name)]
    return sorted(_nearest(pieces, lambda piece: max(piece[0], -piece[1], 0.0)))


def _spans(pieces: Sequence[Piece], runs: Sequence[Run]) -> bool:
    """Whether they reach from end to end of the domain."""
    return pieces[0][0] <= runs[0].low and pieces[-1][1] >= runs[-1].high
