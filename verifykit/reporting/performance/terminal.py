"""What a module costs, for the terminal: the answer, what to do, and the figures, on one screen."""

from collections.abc import Callable, Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from verifykit.reporting import units
from verifykit.reporting.escape import visible
from verifykit.reporting.performance.baseline import amount, compared
from verifykit.reporting.performance.cost import compiled_text
from verifykit.reporting.performance.roofline import bound_by, is_beyond, reached_text
from verifykit.reporting.performance.summary import disturbed, how_compared, setting, summary
from verifykit.reporting.performance.where import gathered
from verifykit.reporting.performance.words import laws_text, reference_text, sizes_text
from verifykit.results.cost import Memory, Profile, Ratio, Timing
from verifykit.results.growth import Growth, Roofline
from verifykit.results.performance import BaselineComparison, Measurements

LINES_SHOWN, ADVICE_SHOWN, CHANGES_SHOWN = 5, 6, 8


def print_cost(measured: Measurements, console: Console) -> None:
    """Print all that matters of ``measured``, in about forty lines; nothing where nothing was measured."""
    profile = measured.profile
    if profile is None:
        return
    console.print(Text(visible(summary(measured))))
    if measured.reason:
        console.print(Text(f"not all was measured: {visible(measured.reason)}", style="yellow"))
    _print_advice(measured, console)
    console.print(Text(f"\n{visible(setting(profile))}", style="dim"))
    console.print(_times(measured, profile))
    if busy := disturbed(measured):
        console.print(Text(busy, style="yellow"))
    if compared_by := how_compared(measured):
        console.print(Text(compared_by, style="dim"))
    for name, told in _facts(measured, profile):
        _print_fact(name, told, console)
    _print_lines(profile, console)
    if measured.baseline is not None:
        _print_baseline(measured.baseline, console)
    if measured.trace:
        _print_fact("trace", f"{measured.trace}, for Perfetto", console)


def _print_advice(measured: Measurements, console: Console) -> None:
    for number, one in enumerate(measured.advice[:ADVICE_SHOWN], 1):
        text = Text(f"{number}. ", style="bold").append(visible(one.message), style="not bold")
        if one.location:
            text.append(f"  {visible(str(one.location))}", style="not bold underline")
        console.print(text)
    if len(measured.advice) > ADVICE_SHOWN:
        console.print(Text(f"and {len(measured.advice) - ADVICE_SHOWN} more in the report", style="dim"))


def _times(measured: Measurements, profile: Profile) -> Table:
    table = _grid("", "target", *(["reference"] if measured.reference else []), "")
    profiles = [profile, *([measured.reference] if measured.reference else [])]
    rows: list[tuple[str, list[Timing | None], Ratio | None]] = [
        ("forward", [p.forward for p in profiles], measured.forward_ratio),
        ("backward", [p.backward for p in profiles], measured.backward_ratio),
        ("step", [p.step for p in profiles], measured.step_ratio),
    ]
    for name, (own, *others), ratio in rows:
        if own is not None:
            beside = [units.seconds(other.median) if other else "" for other in others]
            spread = f"{units.seconds(own.median)} ± {units.seconds(own.iqr)}"
            table.add_row(name, spread, *beside, Text(units.ratio(ratio) if ratio else "", style=_style(ratio)))
    return table


def _style(ratio: Ratio | None) -> str:
    if ratio is None or not ratio.is_measured:
        return "dim"
    return "green" if ratio.value < 1 else "yellow"


def _facts(measured: Measurements, profile: Profile) -> Iterator[tuple[str, str]]:
    if profile.memory is not None:
        yield "memory", _memory(profile.memory, measured.reference.memory if measured.reference else None)
    work = profile.work
    yield (
        "work",
        (
            f"{units.count(work.forward_flops)} FLOPs forward, {units.size(work.least_bytes)} to move at least, "
            f"{work.intensity:.3g} FLOP/B; {units.count(profile.parameters)} parameters"
        ),
    )
    if measured.compiled is not None:
        yield "compiled", compiled_text(measured.compiled)
    if measured.roofline is not None:
        yield "limit", _limit(measured.roofline)
    for found in measured.growth:
        yield f"along {visible(found.symbol)}", _growth(found)
    if profile.where is not None and profile.where.overhead is not None:
        yield "overhead", f"{units.share(profile.where.overhead)} is Python and dispatch"


def _memory(memory: Memory, other: Memory | None) -> str:
    parts: list[tuple[str, Callable[[Memory], int | None]]] = [
        ("at most in forward", lambda m: m.forward_peak),
        ("in backward", lambda m: m.backward_peak),
        ("saved for the backward", lambda m: m.saved),
    ]
    told = []
    for name, of in parts:
        own = of(memory)
        if own is not None:
            multiple = units.multiple(own, of(other)) if other else ""
            told.append(f"{units.size(own)} {name}{f' ({multiple})' if multiple else ''}")
    if memory.kept_per_call:
        told.append(f"{units.size(memory.kept_per_call)} more with each call")
    return ", ".join(told)


def _limit(roofline: Roofline) -> str:
    roof = roofline.roof
    told = f"{units.rate(roof.flops)}, {units.bandwidth(roof.bandwidth)}"
    reached = []
    for point in roofline.points:
        at = f" at {sizes_text(point.sizes)}" if point.sizes else ""
        by = "" if is_beyond(point) else f" ({bound_by(point, roof)})"
        reached.append(f"{reached_text(point, roof)}{at}{by}")
    if not reached:
        return told
    ends = reached if len(reached) < 2 else [reached[0], reached[-1]]
    return f"{told}; forward {'; '.join(ends)}"


def _growth(found: Growth) -> str:
    told = laws_text(found)
    if found.points:
        told += f"; {found.symbol} from {found.points[0].size} to {found.points[-1].size}"
    theirs = reference_text(found)
    return f"{told}; {theirs}" if theirs else told


def _print_fact(name: str, told: str, console: Console) -> None:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=8)
    table.add_column(overflow="fold")
    table.add_row(Text(name, style="dim"), Text(visible(told)))
    console.print(table)


def _print_lines(profile: Profile, console: Console) -> None:
    if profile.where is None or not profile.where.lines:
        return
    table = _grid("hot line, profiler on", "share", "forward", "backward", "costliest")
    for one in gathered(profile.where.lines)[:LINES_SHOWN]:
        table.add_row(
            Text(visible(str(one.location)) if one.location else "elsewhere"),
            units.share(one.share),
            units.seconds(one.forward),
            units.seconds(one.backward) if one.backward else "",
            Text(visible(one.operators[0]) if one.operators else "", style="dim"),
        )
    console.print(table)


def _print_baseline(found: BaselineComparison, console: Console) -> None:
    for warning in found.warnings:
        console.print(Text(f"warning: {visible(warning)}", style="yellow"))
    if not found.changes:
        return
    table = _grid(f"against {visible(found.name)}", "then", "now", "")
    for one in found.changes[:CHANGES_SHOWN]:
        changed = Text(compared(one), style=_style(one.ratio))
        table.add_row(Text(visible(one.what)), amount(one, one.before), amount(one, one.now), changed)
    console.print(table)


def _grid(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for number, name in enumerate(columns):
        table.add_column(Text(name), overflow="fold", justify="left" if number in (0, len(columns) - 1) else "right")
    return table
