"""The chart of a growth: what a step costs against one size, with the laws that were found."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifykit.reporting.chart_style import GRID, REFERENCE_MARK, TARGET_MARK, Mark, draw_points, log_ticks, short
from verifykit.reporting.escape import visible
from verifykit.reporting.performance.words import direction, power
from verifykit.results.growth import Growth, GrowthPoint, Law, Quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Point = tuple[float, float]

_ROOM = 1.5
_SIZES_SHOWN = 5.5
_STEPS = 40


@dataclass(frozen=True)
class _Panel:
    quantity: Quantity
    label: str
    of: Callable[[GrowthPoint], float]
    units: tuple[tuple[float, str], ...]


_TIME = _Panel("time", "time of a step", lambda p: p.seconds, ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")))
_MEMORY = _Panel(
    "peak memory", "peak memory", lambda p: p.peak, ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B"))
)
_OPERATORS = _Panel("operators", "operators in a forward", lambda p: p.operators, ((1.0, ""),))


def panels_of(found: Growth) -> list[_Panel]:
    """Return what there is to draw: time and peak memory, and operators if their number changes."""
    points = [*found.points, *found.reference_points]
    shown = [panel for panel in (_TIME, _MEMORY) if any(panel.of(point) > 0 for point in points)]
    grow = (
        len({point.operators for point in found.points}) > 1 or len({p.operators for p in found.reference_points}) > 1
    )
    return [*shown, _OPERATORS] if grow else shown


def size_of(found: Growth) -> tuple[float, float]:
    """Return width and height of the picture in inches: the more panels, the wider."""
    return 2.9 * max(2, len(panels_of(found))), 3.1


def draw_growth(figure: "Figure", found: Growth, name: str) -> None:
    """Draw a panel each of what grows with ``found.symbol``, for the target called ``name`` and its reference."""
    panels = panels_of(found)
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw_panel(axes, panel, found)
    handles = [draw_points(figure.axes[0], [], TARGET_MARK, short(name))]
    if found.reference_points:
        handles.append(draw_points(figure.axes[0], [], REFERENCE_MARK, short(found.reference or "the reference")))
    figure.legend(handles=handles, loc="outside upper left", borderaxespad=0.2, handlelength=1.6)


def _draw_panel(axes: "Axes", panel: _Panel, found: Growth) -> None:
    series = [(found.points, found.law(panel.quantity), TARGET_MARK)]
    series.append((found.reference_points, found.law(panel.quantity, reference=True), REFERENCE_MARK))
    series = [([p for p in points if panel.of(p) > 0], law, mark) for points, law, mark in series]
    values = [panel.of(point) for points, _, _ in series for point in points]
    sizes = sorted({point.size for points, _, _ in series for point in points})
    factor, unit = next(((f, u) for f, u in panel.units if max(values) >= f), panel.units[-1])
    low, high = min(values) / factor / _ROOM, max(values) / factor * _ROOM
    axes.set(xscale="log", yscale="log", xlim=(sizes[0] / 1.3, sizes[-1] * 1.3), ylim=(low, high))
    for points, law, mark in series:
        _draw_series(axes, [(p.size, panel.of(p) / factor) for p in points], law, mark, found.symbol, factor)
    log_ticks(axes.yaxis, low, high)
    _size_ticks(axes, sizes)
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel(visible(found.symbol))
    axes.set_ylabel(f"{panel.label} ({unit})" if unit else panel.label)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, handlelength=2.6, fontsize=7)


def _draw_series(
    axes: "Axes", points: Sequence[Point], law: Law | None, mark: Mark, symbol: str, factor: float
) -> None:
    if not points:
        return
    draw_points(axes, points, mark)
    fitted = fitted_line(law, points, factor) if law and _is_power(law) else []
    if law and fitted:
        told = "does not grow" if direction(law) == "constant" else power(law, symbol)
        xs, ys = zip(*fitted, strict=True)
        axes.plot(xs, ys, color=mark.colour, linestyle=mark.law, linewidth=1.8, zorder=2, label=visible(told))


def _is_power(law: Law) -> bool:
    """Whether there is a power to be drawn: the exponent is known, and what grows is no mere logarithm."""
    return direction(law) in ("grows", "falls") or (direction(law) == "constant" and law.also is None)


def fitted_line(law: Law, points: Sequence[Point], factor: float) -> list[Point]:
    """Return the law as a line over the upper half, on a logarithmic scale, of the sizes from where it holds to the
    last of ``points``, which are in units of ``factor``.

    The struct leaves out lower powers that a fit may hold: they matter least there, and the line is put through the
    middle of the points.
    """
    known = [(x, y) for x, y in points if x >= law.start]
    if len(known) < 2:
        return []
    middle = math.sqrt(known[0][0] * known[-1][0])
    held = [*(point for point in known[:-2] if point[0] >= middle), *known[-2:]]
    first, last = held[0][0], held[-1][0]
    shape = {x: (law.constant + law.coefficient * x**law.exponent) / factor for x, _ in held}
    if min(shape.values()) <= 0:
        return []
    lift = math.exp(sum(math.log(y / shape[x]) for x, y in held) / len(held))
    xs = [first * (last / first) ** (i / _STEPS) for i in range(_STEPS + 1)]
    return [(x, lift * (law.constant + law.coefficient * x**law.exponent) / factor) for x in xs]


def _size_ticks(axes: "Axes", sizes: Sequence[int]) -> None:
    """The sizes themselves, as many as there is room for, the greatest among them."""
    from matplotlib.ticker import FixedLocator, NullLocator

    shown = [sizes[-1]]
    for size in reversed(sizes):
        if math.log(shown[-1] / size) >= math.log(sizes[-1] / sizes[0]) / _SIZES_SHOWN:
            shown.append(size)
    axes.xaxis.set_major_locator(FixedLocator([float(size) for size in shown]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:.0f}")
