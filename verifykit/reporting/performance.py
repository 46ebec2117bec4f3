"""What a module costs: the section of its Markdown report, and the line for the terminal."""

from collections.abc import Iterator, Sequence

from verifykit.reporting import units
from verifykit.reporting.escape import code, inline, visible
from verifykit.reporting.tables import table
from verifykit.results.performance import Measurements, OperatorCost, Ratio, Timing

OPERATORS_SHOWN = 10


def section(measured: Measurements, heading: str) -> Iterator[str]:
    """What a module costs, for its Markdown report."""
    profile = measured.profile
    yield f"{heading} What it costs"
    if profile is None:
        yield f"Not measured: {inline(measured.reason or 'no reason given')}."
        return
    sizes = f", {', '.join(f'{k} = {v}' for k, v in profile.sizes.items())}" if profile.sizes else ""
    setting = f"eval mode, {profile.dtype}, {profile.threads} threads{inline(sizes)}"
    yield f"Measured in {setting}. Time is the median of a call ± its interquartile range."
    profiles = [profile, *([measured.reference] if measured.reference else [])]
    rows: list[Sequence[str]] = [
        ("forward", *(_time(p.forward) for p in profiles), _ratio(measured.forward_ratio)),
        ("backward", *(_time(p.backward) for p in profiles), _ratio(measured.backward_ratio)),
        ("training step", *(_time(p.step) for p in profiles), _ratio(measured.step_ratio)),
        ("forward FLOPs", *(units.count(p.work.forward_flops) for p in profiles), ""),
        (
            "backward FLOPs",
            *("" if p.work.backward_flops is None else units.count(p.work.backward_flops) for p in profiles),
            "",
        ),
        (
            "parameters",
            *(f"{units.count(p.parameters)} ({units.size(p.parameter_bytes)})" for p in profiles),
            "",
        ),
    ]
    columns = ["", *(code(p.name) for p in profiles), "compared"]
    yield table(columns, rows) if measured.reference else table(columns[:-1], [row[:-1] for row in rows])
    if measured.reason:
        yield inline(measured.reason)
    for direction, operators in (
        ("Forward", profile.forward_operators),
        ("Backward", profile.backward_operators),
    ):
        if operators:
            yield f"{direction} by operator, per call:"
            yield _operators(operators)
    if profile.work.uncounted:
        shares = (f"{code(one.name)} ({one.share:.0%} of the time)" for one in profile.work.uncounted)
        yield f"Without a FLOP formula, so not counted: {', '.join(shares)}."
    if measured.trace:
        yield f"Chrome trace of one step, for Perfetto: {code(measured.trace)}, beside this page."


def _operators(operators: list[OperatorCost]) -> str:
    rows = [
        (
            code(o.name),
            f"{o.calls:g}",
            units.seconds(o.self_cpu),
            units.seconds(o.total_cpu),
            units.size(o.memory),
        )
        for o in operators[:OPERATORS_SHOWN]
    ]
    return table(("operator", "calls", "self time", "total time", "memory allocated"), rows)


def line(measured: Measurements) -> str:
    """What a module costs in one line; empty where nothing was to be measured."""
    profile = measured.profile
    if profile is None:
        return f"not profiled: {visible(measured.reason)}" if measured.reason else ""
    parts = [f"forward {units.seconds(profile.forward.median)}"]
    if measured.forward_ratio is not None:
        parts[-1] += f" ({units.ratio(measured.forward_ratio)})"
    if profile.backward is not None:
        parts.append(f"backward {units.seconds(profile.backward.median)}")
        if measured.backward_ratio is not None:
            parts[-1] += f" ({units.ratio(measured.backward_ratio)})"
    parts += [
        f"{units.count(profile.parameters)} parameters",
        f"{units.count(profile.work.forward_flops)} forward FLOPs",
    ]
    against = f", against {visible(measured.reference.name)}" if measured.reference else ""
    return f"cost: {', '.join(parts)}{against}"


def _time(timing: Timing | None) -> str:
    return f"{units.seconds(timing.median)} ± {units.seconds(timing.iqr)}" if timing else "none"


def _ratio(value: Ratio | None) -> str:
    return "" if value is None else units.ratio(value)
