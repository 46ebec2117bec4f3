"""Charts: one look for all of them, and pictures whose bytes depend on nothing but what they show.

matplotlib is imported when the first chart is drawn, and neither its global state nor the user's settings are touched
or heeded.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from verifykit.reporting.curve_chart import draw_curve
from verifykit.reporting.escape import visible
from verifykit.reporting.verdict import short_name
from verifykit.results import Audit, CheckOutcome

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (4.5, 3.0)  # inches


def curve_chart(audit: Audit) -> str | None:
    """Return the chart of the curve of an audit as SVG, ``None`` where it has none."""
    curve = audit.identity.curve if audit.identity else None
    if curve is None or len(curve.points) < 2:
        return None
    name = visible(short_name(audit))
    return svg(lambda axes: draw_curve(axes, curve, name))


def with_curve_chart(audit: Audit, file: str) -> Audit:
    """Return ``audit`` naming ``file`` as the chart of its curve."""
    replace = msgspec.structs.replace

    def named(outcome: CheckOutcome) -> CheckOutcome:
        found = outcome.identity
        if found is None or found.curve is None:
            return outcome
        return replace(outcome, identity=replace(found, curve=replace(found.curve, chart=file)))

    return replace(audit, checks=[named(outcome) for outcome in audit.checks])


def svg(draw: Callable[["Axes"], None]) -> str:
    """Return the picture that ``draw`` makes on empty axes, the same text whenever it draws the same."""
    with _look():
        from matplotlib.figure import Figure

        figure = Figure(figsize=SIZE, layout="constrained")
        draw(figure.add_subplot())
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
