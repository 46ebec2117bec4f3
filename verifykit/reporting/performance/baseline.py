"""A run against a saved one."""

from collections.abc import Iterator

from verifykit.reporting import units
from verifykit.reporting.escape import code, inline
from verifykit.reporting.tables import table
from verifykit.results.performance import BaselineComparison, Change

HEADLINE = 3


def against_baseline(found: BaselineComparison, heading: str) -> Iterator[str]:
    """Yield the table of changes, after what makes the two runs incomparable."""
    yield f"{heading} Against the baseline {code(found.name)}"
    yield from (f"**Warning:** {inline(warning)}" for warning in found.warnings)
    saved = f"Saved {inline(found.saved)}." if found.saved else ""
    if not found.changes:
        yield f"{saved} Nothing in it could be compared.".strip()
        return
    if saved:
        yield saved
    rows = [(inline(one.what), amount(one, one.before), amount(one, one.now), compared(one)) for one in found.changes]
    yield table(("", "then", "now", "change"), rows)


def headline(found: BaselineComparison) -> str:
    """Return what became of the costs in a phrase of plain text: those that changed, or that none did."""
    warned = " (see the warnings)" if found.warnings else ""
    if not found.changes:
        return f"nothing could be compared with '{found.name}'{warned}"
    changed = [one for one in found.changes if is_change(one)]
    if not changed:
        return f"no change measured against '{found.name}'{warned}"
    told = ", ".join(f"{one.what} {compared(one)}" for one in changed[:HEADLINE])
    more = f", and {len(changed) - HEADLINE} more" if len(changed) > HEADLINE else ""
    return f"changed since '{found.name}'{warned}: {told}{more}"


def is_change(change: Change) -> bool:
    """Whether a difference was measured that can be seen in the figure."""
    return change.ratio.is_measured and compared(change) != "the same"


def amount(change: Change, value: float) -> str:
    """Return ``value`` in the unit of ``change``."""
    match change.unit:
        case "s":
            return units.seconds(value)
        case "B":
            return units.size(value)
        case "":
            return f"{value:.3g}" if abs(value) < 1000 else units.count(value)


def compared(change: Change) -> str:
    """Return how it changed, or that no difference was measured."""
    return units.ratio(change.ratio) if change.unit == "s" else units.ratio(change.ratio, "less", "more")
