"""What happens when the input grows: the laws, the chart, and the same as a table."""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from verifykit.reporting import units
from verifykit.reporting.escape import inline
from verifykit.reporting.performance.places import place
from verifykit.reporting.performance.words import QUANTITIES, law_text, laws_text, sizes_text
from verifykit.reporting.tables import table
from verifykit.results.growth import Growth, GrowthPoint, Law, Quantity


def growth(series: Sequence[Growth], heading: str) -> Iterator[str]:
    """Yield the paragraphs on each free symbol; none where there is none."""
    if series:
        yield f"{heading} What happens when the input grows"
    for found in series:
        yield from _one(found)


def _one(found: Growth) -> Iterator[str]:
    beside = {name: size for name, size in found.sizes.items() if name != found.symbol}
    at = f" (with {inline(sizes_text(beside))})" if beside else ""
    yield f"**{inline(found.symbol)}**{at}: {inline(laws_text(found))}."
    if found.chart is not None:
        shown = inline(f"Time of a step and peak memory against {found.symbol}")
        yield f"![{shown}]({quote(found.chart)})"
    if found.laws or found.reference_laws:
        yield _laws(found)
    if found.points:
        yield _points(found)
    if found.stopped:
        yield f"The series ended: {inline(found.stopped)}."
    for one in found.lines:
        each = inline(f"{one.per_unit:.3g} operators more for each unit of {found.symbol}")
        yield f"At {place(one.location)}: {each}."


def _laws(found: Growth) -> str:
    headers = ["law", "target", "constant part", "holds from"]
    if found.reference is not None:
        headers += ["reference", "its constant part"]
    rows = []
    for quantity in QUANTITIES:
        own, other = found.law(quantity), found.law(quantity, reference=True)
        if own is None and other is None:
            continue
        cells = [
            quantity,
            _law(own, found),
            _constant(own),
            "" if own is None else f"{inline(found.symbol)} = {own.start}",
        ]
        if found.reference is not None:
            cells += [_law(other, found), _constant(other)]
        rows.append(cells)
    return table(headers, rows)


def _law(law: Law | None, found: Growth) -> str:
    return "" if law is None else inline(law_text(law, found.symbol).removeprefix("grows as ").removeprefix("grow as "))


def _constant(law: Law | None) -> str:
    return "" if law is None or law.constant <= 0 else quantity_text(law.quantity, law.constant)


def quantity_text(quantity: Quantity, value: float) -> str:
    """Return ``value`` of ``quantity`` with its unit."""
    match quantity:
        case "time":
            return units.seconds(value)
        case "peak memory" | "saved bytes":
            return units.size(value)
        case "operators":
            return units.count(value)


def _points(found: Growth) -> str:
    others = {point.size: point for point in found.reference_points}
    own = {point.size: point for point in found.points}
    headers = [inline(found.symbol), "step", "peak memory", "saved", "operators"]
    if others:
        headers += ["reference's step", *(f"its {name}" for name in headers[2:])]
    rows = []
    for size in sorted({*own, *others}):
        cells = [str(size), *_cells(own.get(size))]
        rows.append([*cells, *_cells(others.get(size))] if others else cells)
    return table(headers, rows)


def _cells(point: GrowthPoint | None) -> list[str]:
    if point is None:
        return [""] * 4
    return [
        units.seconds(point.seconds),
        units.size(point.peak),
        units.size(point.saved),
        units.count(point.operators),
    ]
