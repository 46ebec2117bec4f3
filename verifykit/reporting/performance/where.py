"""Where a step spends its time: lines, submodules, overhead, copies, and waits for the device."""

from collections.abc import Iterable, Iterator

from verifykit.reporting import units
from verifykit.reporting.escape import code, inline
from verifykit.reporting.performance.places import place
from verifykit.reporting.tables import table
from verifykit.results.cost import Copied, LineCost, SubmoduleCost, Waited, Where

LINES_SHOWN, SUBMODULES_SHOWN, OTHERS_SHOWN, NAMES_SHOWN = 8, 8, 6, 3


def where(found: Where, heading: str) -> Iterator[str]:
    """Yield the paragraphs on where the time goes; none where nothing is known."""
    told = list(_told(found))
    if told:
        yield f"{heading} Where the time goes"
        yield from told


def _told(found: Where) -> Iterator[str]:
    if found.overhead is not None:
        dispatched = f", for {found.operators_per_call:,} operators in a forward" if found.operators_per_call else ""
        yield f"Of a step, {units.share(found.overhead)} is Python and dispatch{dispatched}; the rest is kernels."
    if found.lines:
        yield "Times of lines are taken with a profiler on, which adds to them."
        yield _lines(found.lines)
    if found.submodules:
        yield "Submodules, in forward:"
        yield _submodules(found.submodules)
    if found.copies:
        yield "Copies and conversions at every call:"
        yield _copies(found.copies)
    if found.waits:
        yield "The host waits for the device:"
        yield _waits(found.waits)


def gathered(lines: Iterable[LineCost]) -> list[LineCost]:
    """Return the costs of ``lines``, the greatest share first, those that no line is known of as one."""
    known = [one for one in lines if one.location is not None]
    others = [one for one in lines if one.location is None]
    if others:
        known.append(
            LineCost(
                None,
                sum(one.forward for one in others),
                sum(one.backward for one in others),
                sum(one.share for one in others),
                sum(one.allocated for one in others),
                sum(one.calls for one in others),
                list(dict.fromkeys(name for one in others for name in one.operators)),
            )
        )
    return sorted(known, key=lambda one: -one.share)


def _lines(costs: list[LineCost]) -> str:
    lines = gathered(costs)
    rows = [
        (
            place(one.location),
            units.share(one.share),
            units.seconds(one.forward),
            units.seconds(one.backward) if one.backward else "",
            units.size(one.allocated),
            f"{one.calls:,}",
            ", ".join(map(code, one.operators[:NAMES_SHOWN])),
        )
        for one in lines[:LINES_SHOWN]
    ]
    headers = ("line", "share", "forward", "backward", "allocated", "operators", "costliest")
    return table(headers, rows) + _more(len(lines) - LINES_SHOWN)


def _submodules(submodules: list[SubmoduleCost]) -> str:
    rows = [
        (
            code(one.path) if one.path else "all of it",
            code(one.kind),
            units.share(one.share),
            units.seconds(one.seconds),
            units.seconds(one.own),
            f"{one.calls:,}",
        )
        for one in submodules[:SUBMODULES_SHOWN]
    ]
    headers = ("submodule", "class", "share", "time", "without its children", "calls")
    return table(headers, rows) + _more(len(submodules) - SUBMODULES_SHOWN)


def _copies(copies: list[Copied]) -> str:
    rows = [
        (code(one.operator), place(one.location), units.size(one.bytes), f"{one.calls:,}")
        for one in copies[:OTHERS_SHOWN]
    ]
    return table(("operator", "line", "bytes", "times"), rows) + _more(len(copies) - OTHERS_SHOWN)


def _waits(waits: list[Waited]) -> str:
    rows = [(inline(one.what), place(one.location), f"{one.calls:,}") for one in waits[:OTHERS_SHOWN]]
    return table(("for", "line", "times"), rows) + _more(len(waits) - OTHERS_SHOWN)


def _more(count: int) -> str:
    return f"\n\nand {count} more." if count > 0 else ""
