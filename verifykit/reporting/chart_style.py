"""What charts have in common: colours, the marks of target and reference, and plain numbers on logarithmic axes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifykit.reporting.escape import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.lines import Line2D

# From the palette of Okabe and Ito (2008), told apart by colour-blind people; nothing is told by colour alone.
BLUE, ORANGE, VERMILION = "#0072B2", "#E69F00", "#D55E00"
GRID = "#D9D9D9"

# A legend is as wide as the picture; longer names than this would be cut at its edge.
_LONGEST = 72
# So many ticks are wanted on an axis: with fewer decades than the first number they are parted, with more thinned.
_FEW, _MANY = 3, 6


@dataclass(frozen=True)
class Mark:
    """How the points of one of two modules, and the law found in them, are told from those of the other."""

    colour: str
    marker: str
    size: float
    fill: str
    law: tuple[int, tuple[float, float]]
    above: int


# The larger and hollow one lies beneath, so that both are seen where they are at one place.
TARGET_MARK = Mark(BLUE, "o", 4.0, BLUE, (0, (4, 1.5)), 4)
REFERENCE_MARK = Mark(VERMILION, "s", 6.0, "white", (0, (1.2, 1.2)), 3)


def draw_points(axes: "Axes", points: Sequence[tuple[float, float]], mark: Mark, label: str = "") -> "Line2D":
    """Draw ``points``, joined by a thin line."""
    (line,) = axes.plot(
        [x for x, _ in points],
        [y for _, y in points],
        color=mark.colour,
        linewidth=0.6,
        marker=mark.marker,
        markersize=mark.size,
        markerfacecolor=mark.fill,
        zorder=mark.above,
        label=label,
    )
    return line


def short(name: str) -> str:
    """Return ``name``, harmless, on one line and no longer than a legend is wide."""
    text = " ".join(visible(name).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def log_ticks(axis: "Axis", low: float, high: float) -> None:
    """Put round numbers on a logarithmic axis from ``low`` to ``high``, written out rather than as powers."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)):
        ticks = [step * 10.0**decade for decade in decades for step in steps]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) >= _FEW:
            break
    ticks = ticks[:: math.ceil(len(ticks) / _MANY)]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12f}".rstrip("0").rstrip(".")))
