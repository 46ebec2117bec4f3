"""Which part of a curve to draw, and at which points."""

import math
from collections.abc import Sequence

import numpy as np

from verifykit.identify.curve.pieces import Piece
from verifykit.identify.curve.scalar import Array, Function
from verifykit.results.identity import Break

_POINTS = 200
_USUAL, _GREATEST = 3.0, 100.0
_BENDS = 0.98
# Of an oscillating curve a few swings are enough.
_PLACES = 6
_BEYOND = 1e-3


def chart_points(
    f: Function,
    x: Array,
    y: Array,
    domain: Sequence[tuple[float, float]],
    breaks: Sequence[Break],
    pieces: Sequence[Piece],
) -> list[tuple[float, float]]:
    """Return about 200 points (x, f(x)) of the part where things happen, finite ones alone: there is one at every kink
    and jump, and close to a jump on either side.
    """
    low, high = _window(f, x, y, domain, breaks, pieces)
    drawn = np.linspace(low, high, _POINTS + 1)
    inside = [one for one in breaks if low <= one.at <= high]
    beside = [one.at + side * 1e-12 * max(1.0, abs(one.at)) for one in inside if one.kind == "jump" for side in (-1, 1)]
    drawn = np.unique(np.concatenate([drawn, [one.at for one in inside], beside]))
    values = f(drawn)
    return [(float(a), float(b)) for a, b in zip(drawn, values, strict=True) if math.isfinite(b)]


def _window(
    f: Function,
    x: Array,
    y: Array,
    domain: Sequence[tuple[float, float]],
    breaks: Sequence[Break],
    pieces: Sequence[Piece],
) -> tuple[float, float]:
    """Around the breaks, turning points and ends of the domain nearest zero, with some room on either side; of a smooth
    curve, as far as it takes to straighten. Where values overflow is no end of interest.
    """
    start, end = domain[0][0], domain[-1][1]
    beyond = f(np.array([start - _BEYOND, end + _BEYOND]))
    ends = [edge for edge, value in zip((start, end), beyond, strict=True) if math.isfinite(edge) and math.isnan(value)]
    sharp = _near([*ends, *(one.at for one in breaks)])
    places = [*sharp, *_near([turn for _, turn, _ in pieces[:-1]]), 0.0]
    first, last = min(places), max(places)
    margin = max(0.35 * (last - first), _USUAL - 0.5 * (last - first))
    if not sharp:
        margin = max(0.35 * (last - first), _reach(x, y)) or _USUAL
    return max(first - margin, start), min(last + margin, end)


def _near(places: Sequence[float]) -> list[float]:
    return sorted((place for place in places if abs(place) <= _GREATEST), key=abs)[:_PLACES]


def _reach(x: Array, y: Array) -> float:
    """How far from zero the slope does nearly all of its turning, at most the usual."""
    near = (np.abs(x) <= 5 * _USUAL) & np.isfinite(y)
    if near.sum() < 3:
        return _USUAL
    turning = np.abs(np.diff(np.diff(y[near]) / np.diff(x[near])))
    total = float(turning.sum())
    if not total > 1e-9 * float(np.abs(y[near]).max()):
        return 0.0
    distance = np.abs(x[near][1:-1])
    order = np.argsort(distance)
    reached = int(np.searchsorted(np.cumsum(turning[order]), _BENDS * total))
    return float(min(2 * distance[order][min(reached, order.size - 1)], _USUAL))
