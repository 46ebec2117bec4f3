"""The limits of this machine and how near it comes: the chart, and the same as a table."""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from verifykit.reporting import units
from verifykit.reporting.escape import inline
from verifykit.reporting.performance.words import sizes_text
from verifykit.reporting.tables import table
from verifykit.results.growth import Roof, Roofline, RoofPoint


def roofline(found: Roofline, heading: str) -> Iterator[str]:
    """Yield the paragraphs on the limits of the machine and what forward reaches of them."""
    yield f"{heading} How far from what this machine can do"
    yield inline(roof_text(found.roof))
    if found.chart is not None:
        yield f"![FLOP/s against FLOP per byte, below the limit of the machine]({quote(found.chart)})"
    if found.points:
        yield _points(found)
    if any(point.reached > 1 for point in [*found.points, *found.reference_points]):
        yield (
            "Above 100%: its data stay in a cache from call to call, or it reads much more than it writes; "
            "both are faster than the copy that the limit was measured with."
        )


def roof_text(roof: Roof) -> str:
    """Return what the machine can do in one sentence of plain text."""
    threads = f"{roof.threads} thread{'' if roof.threads == 1 else 's'}"
    when = f", measured {roof.measured}" if roof.measured else ""
    return (
        f"Limits in {roof.dtype} on {roof.device} with {threads}: {units.rate(roof.flops)} in a matrix product, "
        f"{units.bandwidth(roof.bandwidth)} from and to memory{when}."
    )


def _points(found: Roofline) -> str:
    headers = ["sizes", "intensity", "bound by", "forward", "rate", "of the limit"]
    beside = {tuple(point.sizes.items()): point for point in found.reference_points}
    if beside:
        headers += ["reference", "its rate", "of the limit"]
    rows = []
    for point in found.points:
        cells = [inline(sizes_text(point.sizes)), f"{point.intensity:.3g} FLOP/B", bound_by(point, found.roof)]
        other = beside.get(tuple(point.sizes.items()))
        rows.append([*cells, *_reached(point), *(_reached(other) if beside else [])])
    return table(headers, rows)


def _reached(point: RoofPoint | None) -> Sequence[str]:
    if point is None:
        return [""] * 3
    rate = units.rate(point.flops / point.seconds) if point.seconds else ""
    return [units.seconds(point.seconds), rate, units.share(point.reached)]


def bound_by(point: RoofPoint, roof: Roof) -> str:
    """Return what the machine would be short of at this intensity."""
    return "memory" if point.flops / roof.flops < point.least_bytes / roof.bandwidth else "arithmetic"
