"""Where a function of one number is finite, and how steep it gets."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from verifykit.identify.curve.breaks import simplest
from verifykit.identify.curve.scalar import Array, Function
from verifykit.identify.curve.scale import Scale
from verifykit.results.identity import Break

_BISECTIONS = 1100  # down to the smallest number: stops long before where the edge is not zero
_ZOOMS, _POINTS = 16, 41
_SETTLED, _GROWING, _EXACT = 1e-7, 1.001, 1e-9
_DROWNED = 1e8  # differences of fewer units of rounding say less of the slope than is asked for
_OVERFLOWING = 1e100
_FAR = (1e5, 1e6, 1e7)


def finite_runs(f: Function, x: Array, y: Array) -> list[tuple[float, float, slice]]:
    """Return the intervals in which ``f`` is finite, with the part of ``x`` that lies in each; an end of ``x``
    counts as infinite where the value there is finite.
    """
    finite = np.isfinite(y)
    edges = [0, *(np.flatnonzero(np.diff(finite)) + 1).tolist(), x.size]
    runs = []
    for start, end in pairwise(edges):
        if finite[start]:
            low = -np.inf if start == 0 else _edge(f, x[start - 1], x[start])
            high = np.inf if end == x.size else _edge(f, x[end], x[end - 1])
            runs.append((float(low), float(high), slice(start, end)))
    return runs


def _edge(f: Function, outside: float, inside: float) -> float:
    for _ in range(_BISECTIONS):
        middle = 0.5 * (outside + inside)
        if middle in (outside, inside) or abs(inside - outside) < 1e-18:
            break
        if np.isfinite(f(np.array([middle]))[0]):
            inside = middle
        else:
            outside = middle
    return simplest(min(outside, inside), max(outside, inside))


def lipschitz(
    f: Function, x: Array, y: Array, breaks: Sequence[Break], unbounded: tuple[bool, bool], scale: Scale
) -> float | None:
    """Return the greatest slope of ``f``, whose values at ``x``, ascending and without gaps, are ``y``: by closer and
    closer looks where it is steepest. ``None`` where it jumps or the slope does not settle; ``unbounded`` says which
    ends of ``x`` stand for infinity.
    """
    if any(one.kind != "kink" or np.isinf(one.size) for one in breaks) or x.size < 2:
        return None
    slope, (at, width) = _steepest(x, y)
    growth = 1.0
    for _ in range(_ZOOMS):
        near = np.linspace(max(at - width, x[0]), min(at + width, x[-1]), _POINTS)
        values = f(near)
        if slope * width < _DROWNED * scale.grain * (float(np.abs(values).max()) + scale.typical):
            break
        closer, (at, width) = _steepest(near, values)
        growth, slope = closer / slope, max(closer, slope)
        if growth <= 1 + _SETTLED:
            break
    if growth > _GROWING or slope > _OVERFLOWING:
        return None
    slope = max(slope, *(abs(side) for one in breaks for side in (one.before, one.after)), 0.0)
    for sign, counts in zip((-1, 1), unbounded, strict=True):
        if counts:
            far = sign * np.array(_FAR)
            values = f(np.stack([far, 1.1 * far]).ravel()).reshape(2, -1)
            if not (np.abs(values[1] - values[0]) / np.abs(0.1 * far) <= 1.01 * slope).all():
                return None
    return simplest(slope * (1 - _EXACT), slope * (1 + _EXACT))


def _steepest(x: Array, y: Array) -> tuple[float, tuple[float, float]]:
    """The greatest slope between neighbours; its place and their distance."""
    slopes = np.abs(np.diff(y) / np.diff(x))
    i = int(np.argmax(slopes))
    return float(slopes[i]), (float(0.5 * (x[i] + x[i + 1])), float(x[i + 1] - x[i]))


def open_end(f: Function, edge: float, direction: int) -> bool:
    """Whether the values grow without bound towards ``edge`` from the side that ``direction`` points to."""
    x = edge + direction * np.array([1e-3, 1e-6, 1e-9, 1e-12]) * max(1.0, abs(edge))
    steps = np.abs(np.diff(f(x)))
    return bool(np.isfinite(steps).all() and steps[-1] > 0.5 * steps[0] > 0)
