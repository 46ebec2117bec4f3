"""The limits of this machine and how near it comes: the chart, and the same as a table."""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from verifykit.reporting import units
from verifykit.reporting.escape import inline
from verifykit.reporting.performance.words import sizes_text
from verifykit.reporting.tables import table
from verifykit.results.growth import Roof, Roofline, RoofPoint

# Beyond the limit by no more than this, it is at the limit: the roof is measured as well. Caches are some times as fast
# as memory; what is further above hardly moves what it would have to.
_NOISE, _FAR = 1.05, 3.0


def roofline(found: Roofline, heading: str) -> Iterator[str]:
    """Yield the paragraphs on the limits of the machine and what forward reaches of them."""
    yield f"{heading} How far from what this machine can do"
    yield inline(roof_text(found.roof))
    if found.chart is not None:
        yield f"![FLOP/s against FLOP per byte, below the limit of the machine]({quote(found.chart)})"
        if found.reference_points:
            yield "The reference's points are at the same sizes, joined in the same order."
    if found.points:
        yield _points(found)
    beyond = [point for point in [*found.points, *found.reference_points] if is_beyond(point)]
    if any(bound_by(point, found.roof) == "memory" for point in beyond):
        yield (
            "Faster than memory is what stays in a cache from call to call, and what reads much more than it writes, "
            "unlike the copy that the limit was measured with."
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
        rows.append([*cells, *_reached(point, found.roof), *(_reached(other, found.roof) if beside else [])])
    return table(headers, rows)


def _reached(point: RoofPoint | None, roof: Roof) -> Sequence[str]:
    if point is None:
        return [""] * 3
    rate = units.rate(point.flops / point.seconds) if point.seconds else ""
    return [units.seconds(point.seconds), rate, reached_text(point, roof)]


def is_beyond(point: RoofPoint) -> bool:
    """Whether it does better than the machine should allow, so that a share of the limit means nothing."""
    return point.reached > _NOISE


def is_far_beyond(point: RoofPoint) -> bool:
    """Whether it hardly moves what it would have to."""
    return point.reached > _FAR


def reached_text(point: RoofPoint, roof: Roof) -> str:
    """Return the share of the limit that is reached, or what a point beyond it may owe that to."""
    if not is_beyond(point):
        return units.share(min(1.0, point.reached))
    if bound_by(point, roof) == "arithmetic":
        return "faster than a matrix product"
    if is_far_beyond(point):
        return "moves next to nothing, or stays in cache"
    return "faster than memory, as from cache"


def bound_by(point: RoofPoint, roof: Roof) -> str:
    """Return what the machine would be short of at this intensity."""
    return "memory" if point.flops / roof.flops < point.least_bytes / roof.bandwidth else "arithmetic"
