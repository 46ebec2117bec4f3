"""Markdown: one page that a person would forward, the verdict first."""

from collections.abc import Iterator, Sequence

from tabulate import tabulate

from verifykit.reporting import identity, units
from verifykit.reporting.escape import block, code, inline
from verifykit.reporting.verdict import verdict
from verifykit.results import Audit, Finding, Measurements, OperatorCost, Report, SpecFacts, Timing

OPERATORS_SHOWN = 10


def render(report: Report) -> str:
    """Return the report as one Markdown page."""
    parts: list[str] = []
    if len(report.audits) == 1:
        parts += [f"# {inline(report.audits[0].target)}", *_audit(report.audits[0], "##")]
    else:
        parts += [f"# Audit of {len(report.audits)} targets", _summary(report.audits)]
        for audit in report.audits:
            parts += [f"## {inline(audit.target)}", *_audit(audit, "###")]
    parts += ["## How to repeat it", *_environment(report)]
    return "\n\n".join(parts) + "\n"


def _audit(audit: Audit, heading: str) -> Iterator[str]:
    yield f"**{code(audit.target)} {verdict(audit)}.**"
    if audit.error is not None:
        yield inline(audit.error.message)
        return
    if audit.findings:
        yield f"{heading} Findings"
        for number, finding in enumerate(audit.findings, 1):
            yield from _finding(number, finding)
    yield from identity.section(audit, heading)
    yield from _verified(audit, heading)
    yield from _undecided(audit, heading)
    yield from _profile(audit.measurements, heading)
    if audit.spec is not None:
        yield from _spec(audit.spec, heading)


def _finding(number: int, finding: Finding) -> Iterator[str]:
    where = f" at {code(str(finding.location))}" if finding.location else ""
    likely = "" if finding.confidence == "certain" else ", likely"
    yield f"{number}. **{finding.severity}{likely}**, {code(finding.rule)}{where}: {inline(finding.message)}"
    if finding.evidence:
        yield _table(("evidence", "value"), [(inline(k), code(units.plain(v))) for k, v in finding.evidence.items()])
    if finding.reproduce:
        yield "Reproduce it:"
        yield block(finding.command, "sh")
    if finding.reproduce != finding.command:
        yield "or with this script, which needs torch and verifykit only:"
        yield block(finding.reproduce, "python")


def _verified(audit: Audit, heading: str) -> Iterator[str]:
    rows = [
        (
            code(outcome.check),
            inline(item.what),
            item.examples,
            "" if item.worst is None else f"{item.worst:.2g}",
            inline(item.tolerance or ""),
        )
        for outcome in audit.checks
        for item in outcome.verified
    ]
    if rows:
        yield f"{heading} What was verified"
        yield _table(("check", "what", "examples", "worst error", "tolerance"), rows)


def _undecided(audit: Audit, heading: str) -> Iterator[str]:
    rows = [
        (code(outcome.check), outcome.status, inline(outcome.reason or ""))
        for outcome in audit.checks
        if outcome.reason is not None
    ]
    if rows:
        yield f"{heading} What was not, and why"
        yield _table(("check", "outcome", "reason"), rows)


def _profile(measured: Measurements, heading: str) -> Iterator[str]:
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
        ("forward FLOPs", *(units.count(p.forward_flops) for p in profiles), ""),
        (
            "backward FLOPs",
            *("" if p.backward_flops is None else units.count(p.backward_flops) for p in profiles),
            "",
        ),
        (
            "parameters",
            *(f"{units.count(p.parameters)} ({units.size(p.parameter_bytes)})" for p in profiles),
            "",
        ),
    ]
    columns = ["", *(code(p.name) for p in profiles), "compared"]
    yield _table(columns, rows) if measured.reference else _table(columns[:-1], [row[:-1] for row in rows])
    if measured.reason:
        yield inline(measured.reason)
    for direction, operators in (
        ("Forward", profile.forward_operators),
        ("Backward", profile.backward_operators),
    ):
        if operators:
            yield f"{direction} by operator, per call:"
            yield _operators(operators)
    if profile.uncounted:
        yield f"Without a FLOP formula, so not counted: {', '.join(map(code, profile.uncounted))}."
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
    return _table(("operator", "calls", "self time", "total time", "memory allocated"), rows)


def _spec(spec: SpecFacts, heading: str) -> Iterator[str]:
    yield f"{heading} How it was built and fed"
    rows = [
        (code(name), code(repr(value)), inline(spec.sources.get(f"init.{name}", "")))
        for name, value in spec.init.items()
    ]
    for entry in spec.inputs:
        domain = "" if entry.domain in ("real", "boolean") else f" in {entry.domain}"
        text = f"{entry.dtype}[{', '.join(map(str, entry.shape))}]{domain}"
        rows.append((code(entry.name), code(text), inline(spec.sources.get(f"inputs.{entry.name}", ""))))
    rows += [("output", code(f"{o.dtype}[{', '.join(map(str, o.shape))}]"), "observed") for o in spec.outputs]
    yield _table(("", "", "from"), rows)


def _environment(report: Report) -> Iterator[str]:
    if report.command:
        yield block(report.command, "sh")
    e = report.environment
    rows = [
        ("verifykit", report.verifykit),
        ("torch", e.torch),
        ("Python", e.python),
        ("platform", inline(e.platform)),
        ("device", f"{inline(e.device)}, {e.threads} threads"),
        ("seed", str(report.seed)),
    ]
    yield _table(("", ""), rows)


def _summary(audits: list[Audit]) -> str:
    return _table(("target", "verdict"), [(code(audit.target), inline(verdict(audit))) for audit in audits])


def _table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    return tabulate(rows, headers=headers, tablefmt="pipe", disable_numparse=True)


def _time(timing: Timing | None) -> str:
    return f"{units.seconds(timing.median)} ± {units.seconds(timing.iqr)}" if timing else "none"


def _ratio(value: float | None) -> str:
    return "" if value is None else units.ratio(value)
