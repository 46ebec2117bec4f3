"""Charts: one look for all of them, and pictures whose bytes depend on nothing but what they show.

matplotlib is imported when the first chart is drawn, and neither its global state nor the user's settings are touched
or heeded.
"""

import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from verifykit.reporting.curve_chart import draw_curve
from verifykit.reporting.escape import visible
from verifykit.reporting.growth_chart import draw_growth, panels_of, size_of
from verifykit.reporting.roofline_chart import draw_roofline, drawable
from verifykit.reporting.verdict import short_name
from verifykit.results import Audit, CheckOutcome
from verifykit.results.growth import Growth
from verifykit.results.performance import Measurements

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = (4.5, 3.0)  # inches


def charts_of(audit: Audit) -> dict[str, str]:
    """Return the charts of an audit as SVG, by the suffix that the name of their file wants: ``curve``, ``roofline``,
    and ``growth-N`` for each symbol. :func:`with_chart_names` takes the names given to them.
    """
    drawn = {"curve": curve_chart(audit), "roofline": roofline_chart(audit)}
    drawn |= {suffix: growth_chart(audit, found.symbol) for suffix, found in _growths(audit.measurements).items()}
    return {suffix: picture for suffix, picture in drawn.items() if picture is not None}


def with_chart_names(audit: Audit, names: Mapping[str, str]) -> Audit:
    """Return ``audit`` naming the files of its charts: ``names`` maps suffixes of :func:`charts_of` to names."""
    replace = msgspec.structs.replace

    def named(outcome: CheckOutcome) -> CheckOutcome:
        found = outcome.identity
        if found is None or found.curve is None:
            return outcome
        curve = replace(found.curve, chart=names.get("curve"))
        return replace(outcome, identity=replace(found, curve=curve))

    measured = audit.measurements
    roofline = measured.roofline and replace(measured.roofline, chart=names.get("roofline"))
    growth = [replace(found, chart=names.get(suffix)) for suffix, found in _growths(measured).items()]
    return replace(
        audit,
        checks=[named(outcome) for outcome in audit.checks],
        measurements=replace(measured, roofline=roofline, growth=growth),
    )


def curve_chart(audit: Audit) -> str | None:
    """Return the chart of the curve of an audit as SVG, ``None`` where it has none."""
    curve = audit.identity.curve if audit.identity else None
    if curve is None or len(curve.points) < 2:
        return None
    name = visible(short_name(audit))
    return svg(lambda figure: draw_curve(figure.add_subplot(), curve, name))


def roofline_chart(audit: Audit) -> str | None:
    """Return the chart of what forward reaches of the limits of the machine as SVG, ``None`` where no point has a
    place in it.
    """
    found = audit.measurements.roofline
    if found is None or not drawable(found.points):
        return None
    return svg(lambda figure: draw_roofline(figure, found), (5.6, 3.8))


def growth_chart(audit: Audit, symbol: str) -> str | None:
    """Return the chart of what grows with ``symbol`` as SVG, ``None`` where fewer than two sizes were measured."""
    found = next((one for one in audit.measurements.growth if one.symbol == symbol), None)
    if found is None or len(found.points) < 2 or not panels_of(found):
        return None
    name = short_name(audit)
    return svg(lambda figure: draw_growth(figure, found, name), size_of(found))


def _growths(measured: Measurements) -> dict[str, Growth]:
    """Each growth by the suffix of its chart, of characters that every file system knows, no two alike on one that
    does not tell ``n`` from ``N``.
    """
    found: dict[str, Growth] = {}
    for number, growth in enumerate(measured.growth, 1):
        suffix = f"growth-{re.sub(r'[^A-Za-z0-9_]+', '-', growth.symbol)}"
        taken = {name.casefold() for name in found}
        found[f"{suffix}-{number}" if suffix.casefold() in taken else suffix] = growth
    return found


def svg(draw: Callable[["Figure"], None], size: tuple[float, float] = SIZE) -> str:
    """Return the picture that ``draw`` makes of an empty figure, the same text whenever it draws the same; ``size`` is
    in inches.
    """
    with _look():
        from matplotlib.figure import Figure

        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        return file.getvalue()


@contextmanager
def _look() -> Iterator[None]:
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "svg.hashsalt": "verifykit",
                "svg.fonttype": "none",
                "text.parse_math": False,
                "font.size": 8,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.edgecolor": "#767676",
                "axes.linewidth": 0.8,
                "xtick.color": "#595959",
                "ytick.color": "#595959",
                "legend.frameon": False,
                "lines.solid_capstyle": "round",
            }
        )
        yield
