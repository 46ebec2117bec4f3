"""The chart of an elementwise function: gaps where it jumps, and the nearest built-in beneath it."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from verifykit.reporting.chart_style import BLUE, GRID, ORANGE
from verifykit.reporting.escape import visible
from verifykit.results.identity import Break, Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Told apart by their width as well.
OWN, NEAREST = BLUE, ORANGE

Points = Sequence[tuple[float, float]]

# Where values run away to a pole, the picture ends at some multiple of what most of them span.
_MOST, _ROOM = 0.04, 0.35
_RUNNING_AWAY = 4.0
# Neighbours further apart than this share of the picture, and than their neighbours by this factor, lie on both sides
# of a jump.
_GAP, _SUDDEN = 0.04, 10.0
# So do those nearly at one place whose distance could be seen.
_CLOSE, _SEEN = 1e-9, 1e-3


def draw_curve(axes: "Axes", curve: Curve, name: str) -> None:
    """Draw ``curve``, called ``name``, with its kinks and jumps, and the nearest built-in where it is known."""
    low, high = _span(curve)
    axes.axhline(0, color=GRID, linewidth=0.8, zorder=0)
    axes.axvline(0, color=GRID, linewidth=0.8, zorder=0)
    cuts = [one for one in curve.breaks if one.kind != "kink"]
    if curve.nearest is not None:
        for part in _parts(curve.nearest_points, [], high - low):
            axes.plot(*_columns(part), color=NEAREST, linewidth=4.5, alpha=0.75, solid_capstyle="butt", zorder=1)
    for part in _parts(curve.points, cuts, high - low):
        axes.plot(*_columns(part), color=OWN, linewidth=1.6, zorder=2)
    left, right = curve.points[0][0], curve.points[-1][0]
    for one in curve.breaks:
        if left <= one.at <= right:
            _mark(axes, one)
    axes.set_xlim(left, right)
    axes.set_ylim(low, high)
    axes.set_xlabel("x")
    if curve.nearest is None:
        axes.set_ylabel(f"{name}(x)")
        return
    axes.plot([], [], color=OWN, linewidth=1.6, label=name)
    axes.plot([], [], color=NEAREST, linewidth=4.5, alpha=0.75, label=visible(curve.nearest))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=1, borderaxespad=0.2, handlelength=1.6)


def _mark(axes: "Axes", one: Break) -> None:
    """A dot at a kink; at a jump a filled one for the value that is taken, open ones for those that are not."""
    if one.kind == "kink":
        axes.plot([one.at], [one.value], "o", color=OWN, markersize=3, zorder=3)
    if one.kind == "jump":
        for value in {one.before, one.after} - {one.value}:
            if not math.isclose(value, one.value, rel_tol=1e-9, abs_tol=1e-9 * abs(one.size)):
                axes.plot([one.at], [value], "o", color=OWN, markerfacecolor="white", markersize=4, zorder=3)
        axes.plot([one.at], [one.value], "o", color=OWN, markersize=4, zorder=3)


def _parts(points: Points, cuts: Sequence[Break], height: float) -> list[Points]:
    """The points between two jumps, each for a line of its own: those that are known, whose very place is left out, and
    those that show.
    """
    at = [one.at for one in cuts]
    apart = [point for point in points if point[0] not in at]
    steps = [abs(b[1] - a[1]) for a, b in pairwise(apart)]
    parts: list[list[tuple[float, float]]] = [[]]
    for i, point in enumerate(apart):
        known = any(apart[i - 1][0] < x < point[0] for x in at)
        if i and (known or _at_once(apart[i - 1], point, height) or _sudden(steps, i - 1, height)):
            parts.append([])
        parts[-1].append(point)
    return list(parts)


def _at_once(one: tuple[float, float], other: tuple[float, float], height: float) -> bool:
    return other[0] - one[0] < _CLOSE * max(1.0, abs(one[0])) and abs(other[1] - one[1]) > _SEEN * height


def _sudden(steps: Sequence[float], i: int, height: float) -> bool:
    beside = max((steps[j] for j in (i - 1, i + 1) if 0 <= j < len(steps)), default=0.0)
    return steps[i] > _GAP * height and steps[i] > _SUDDEN * beside


def _span(curve: Curve) -> tuple[float, float]:
    values = sorted(y for _, y in [*curve.points, *curve.nearest_points])
    low, high = values[0], values[-1]
    if any(one.kind == "pole" for one in curve.breaks) or None in (curve.least, curve.greatest):
        skipped = int(_MOST * len(values))
        inner_low, inner_high = values[skipped], values[-1 - skipped]
        if high - low > _RUNNING_AWAY * (inner_high - inner_low) > 0:
            low, high = inner_low, inner_high
    room = 0.06 * (high - low) or 0.5 * abs(high) or 0.5
    return low - room, high + room


def _columns(points: Points) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]
