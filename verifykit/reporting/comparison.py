"""A comparison of two modules: for the terminal, as a Markdown page, as JSON."""

from collections.abc import Iterator

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from verifykit.reporting import units
from verifykit.reporting.escape import code, inline, visible
from verifykit.reporting.json import finite
from verifykit.results.comparison import Comparison, Cost, Precision

STYLE = {"equal": "green", "differs": "bold red", "inconclusive": "yellow"}


def verdict(found: Comparison) -> str:
    """Return the verdict in one line."""
    told = {
        "equal": f"equals {found.reference}",
        "differs": f"differs from {found.reference}",
        "inconclusive": f"could not be compared with {found.reference}",
    }[found.verdict]
    # What differs is shown with its dtype.
    return f"{told}: {found.reason}" if found.reason and found.verdict == "inconclusive" else told


def as_json(found: Comparison) -> str:
    """Return ``found`` as JSON in the layout of its structs, ``schema`` first; numbers that are not finite are text."""
    document = finite(msgspec.to_builtins(found, enc_hook=str))
    ordered = {"schema": document.pop("schema"), **document}
    return msgspec.json.format(msgspec.json.encode(ordered), indent=2).decode() + "\n"


def as_markdown(found: Comparison) -> str:
    """Return ``found`` as a Markdown page."""
    return "\n".join(_page(found)) + "\n"


def print_comparison(found: Comparison, console: Console) -> None:
    """Print ``found``."""
    headline = Text(visible(found.candidate), style="bold")
    headline.append(f" {visible(verdict(found))}", style=STYLE[found.verdict])
    console.print(headline, soft_wrap=True)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for _ in range(2):
        table.add_column(no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    for entry in found.precisions:
        table.add_row(
            Text(entry.dtype), Text(entry.verdict, style=STYLE[entry.verdict]), Text(visible(_established(entry)))
        )
    console.print(table)
    for line in [*_evidence(found), *_notes(found)]:
        console.print(Text(f"  {visible(line)}", style="dim"), soft_wrap=True)
    if found.candidate_cost and found.reference_cost:
        console.print(Text(f"cost: {visible('; '.join(_costs(found)))}", style="dim"), soft_wrap=True)
    elif found.precisions:
        console.print(Text(f"not measured: {visible(found.unmeasured or '')}", style="dim"))


def _established(entry: Precision) -> str:
    if entry.message:
        return entry.message
    ulps = f", values at most {entry.ulps} ULP apart" if entry.ulps else ""
    worst = "" if entry.worst is None else f", worst relative error {entry.worst:.2g}"
    return f"at {entry.examples} points{worst}{ulps}"


def _evidence(found: Comparison) -> Iterator[str]:
    for entry in found.precisions:
        if entry.evidence:
            yield f"{entry.dtype}: " + "; ".join(f"{name} {units.plain(v)}" for name, v in entry.evidence.items())


def _notes(found: Comparison) -> list[str]:
    notes = dict.fromkeys(note for entry in found.precisions for note in entry.notes)
    return [*found.correspondence, *(f"note: {note}" for note in notes)]


def _costs(found: Comparison) -> Iterator[str]:
    own, other = found.candidate_cost, found.reference_cost
    if own is None or other is None:
        return
    ratios = {"forward": found.forward_ratio, "backward": found.backward_ratio}
    for name, timing in (("forward", own.forward), ("backward", own.backward)):
        if timing is not None:
            ratio = ratios[name]
            yield f"{name} {units.seconds(timing.median)}" + (f", {units.ratio(ratio)}" if ratio else "")
    yield f"{units.size(own.peak_bytes)} at most in a step, the reference {units.size(other.peak_bytes)}"
    yield f"float32, {', '.join(f'{name} = {size}' for name, size in own.sizes.items()) or 'fixed sizes'}"


def _page(found: Comparison) -> Iterator[str]:
    yield f"# {code(found.candidate)} against {code(found.reference)}"
    yield ""
    yield f"**{found.verdict}**" + (f": {inline(found.reason)}" if found.reason else "")
    if found.precisions:
        yield "\n| dtype | verdict | what was established | points | criterion |"
        yield "| --- | --- | --- | ---: | --- |"
        for entry in found.precisions:
            yield (
                f"| {entry.dtype} | {entry.verdict} | {inline(_established(entry))} | {entry.examples} "
                f"| {inline(entry.criterion)} |"
            )
    told = [*_evidence(found), *_notes(found)]
    if told:
        yield ""
        yield from (f"- {inline(line)}" for line in told)
    if found.candidate_cost and found.reference_cost:
        yield "\n## Cost\n"
        yield "| | forward | backward | parameters | peak memory of a step | kept for the backward |"
        yield "| --- | ---: | ---: | ---: | ---: | ---: |"
        for cost in (found.candidate_cost, found.reference_cost):
            yield _cost_row(cost)
        yield _ratio_row(found)
    elif found.precisions:
        yield f"\nNot measured: {inline(found.unmeasured or '')}."
    if found.spec is not None:
        fed = "; ".join(f"{e.name}: {e.dtype}[{', '.join(map(str, e.shape))}] in {e.domain}" for e in found.spec.inputs)
        built = ", ".join(f"{name}={value!r}" for name, value in found.spec.init.items())
        yield f"\nBuilt with ({inline(built)}) and fed {code(fed)}, seed {found.seed}."
    if found.command:
        yield f"\n    {visible(found.command)}"


def _ratio_row(found: Comparison) -> str:
    forward, backward = ("" if r is None else units.ratio(r) for r in (found.forward_ratio, found.backward_ratio))
    own, other = found.candidate_cost, found.reference_cost
    peak = units.multiple(own.peak_bytes, other.peak_bytes) if own and other else ""
    saved = units.multiple(own.saved_bytes, other.saved_bytes) if own and other else ""
    return f"| compared | {forward} | {backward} | | {peak} | {saved} |"


def _cost_row(cost: Cost) -> str:
    backward = units.seconds(cost.backward.median) if cost.backward else "none"
    return (
        f"| {code(cost.name)} | {units.seconds(cost.forward.median)} | {backward} | {units.count(cost.parameters)} "
        f"| {units.size(cost.peak_bytes)} | {units.size(cost.saved_bytes)} |"
    )
