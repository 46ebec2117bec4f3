"""The chart of a roofline: what the machine can do at each intensity, and what is done."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from verifykit.reporting import units
from verifykit.reporting.chart_style import GRID, REFERENCE_MARK, TARGET_MARK, draw_points, log_ticks, short
from verifykit.results.growth import Roof, Roofline, RoofPoint

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Place = tuple[float, float]

ROOF_COLOUR = "#404040"
GIGA = 1e9

# Room around what is drawn, as factors.
_LEFT, _RIGHT, _ROOM = 3.0, 6.0, 2.5
# So much of the slope is seen at least, and its name is as wide as this share of the axis.
_SLOPE, _NAME = 30.0, 0.2
# Labels nearer than this, as shares of the decades of an axis, would lie upon each other.
_NEAR_X, _NEAR_Y = 0.12, 0.05


def drawable(points: Sequence[RoofPoint]) -> list[RoofPoint]:
    """Return the points that have a place on logarithmic axes."""
    return [point for point in points if point.flops > 0 and point.least_bytes > 0 and point.seconds > 0]


def draw_roofline(figure: "Figure", found: Roofline) -> None:
    """Draw the roof, and beneath it all points that have a place there."""
    own, other = drawable(found.points), drawable(found.reference_points)
    axes = figure.add_subplot()
    ridge = found.roof.flops / found.roof.bandwidth
    intensities = [ridge, *(point.intensity for point in [*own, *other])]
    rates = [found.roof.flops / GIGA, *(_rate(point) for point in [*own, *other])]
    left, right = min(min(intensities) / _LEFT, ridge / _SLOPE), max(intensities) * _RIGHT
    low = min(*rates, left * found.roof.bandwidth / GIGA) / _ROOM
    high = max(rates) * _ROOM
    axes.set(xscale="log", yscale="log", xlim=(left, right), ylim=(low, high))
    log_ticks(axes.xaxis, left, right)
    log_ticks(axes.yaxis, low, high)
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    _draw_roof(axes, found.roof, left, right)
    for points, mark in ((own, TARGET_MARK), (other, REFERENCE_MARK)):
        if points:
            draw_points(axes, [(point.intensity, _rate(point)) for point in points], mark, short(points[0].name))
    _label_sizes(axes, own)
    axes.set_xlabel("arithmetic intensity of forward (FLOP/byte)")
    axes.set_ylabel("rate of forward (GFLOP/s)")
    figure.legend(loc="outside upper left", borderaxespad=0.2, handlelength=2.6)


def _rate(point: RoofPoint) -> float:
    return point.flops / point.seconds / GIGA


def _draw_roof(axes: "Axes", roof: Roof, left: float, right: float) -> None:
    top, ridge = roof.flops / GIGA, roof.flops / roof.bandwidth
    slope = roof.bandwidth / GIGA
    axes.plot([left, ridge, right], [left * slope, top, top], color=ROOF_COLOUR, linewidth=1.6, zorder=2)
    _write(axes, f"{units.rate(roof.flops)} in {roof.dtype}", (right, top), (-2, 3), ha="right")
    # As high as the slope is where the text ends, so that it stands above the line.
    end = left * (right / left) ** _NAME
    _write(axes, units.bandwidth(roof.bandwidth), (left, min(end * slope, top)), (4, 3), ha="left")


def _write(axes: "Axes", text: str, at: Place, away: Place, *, ha: Literal["left", "right"]) -> None:
    axes.annotate(text, at, away, textcoords="offset points", ha=ha, va="bottom", color=ROOF_COLOUR)


def _label_sizes(axes: "Axes", points: Sequence[RoofPoint]) -> None:
    """Write the sizes beside the points, those that differ only, leaving out what would lie upon another label."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    varying = [name for name in points[0].sizes if len({point.sizes.get(name) for point in points}) > 1]
    written: list[tuple[float, float]] = []
    seen: set[str] = set()
    for point in [*points[-1:], *points[:-1]]:  # where there is room for one, the last
        label = ", ".join(f"{name} = {point.sizes[name]}" for name in varying if name in point.sizes)
        x = _part(point.intensity, left, right)
        y = _part(_rate(point), low, high)
        if not label or label in seen or any(abs(x - a) < _NEAR_X and abs(y - b) < _NEAR_Y for a, b in written):
            continue
        axes.annotate(label, (point.intensity, _rate(point)), (6, -2), textcoords="offset points", va="top", fontsize=7)
        written.append((x, y))
        seen.add(label)


def _part(value: float, low: float, high: float) -> float:
    return math.log(value / low) / math.log(high / low)
