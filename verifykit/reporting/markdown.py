"""Markdown: one page that a person would forward, the verdict first."""

from collections.abc import Iterator

from verifykit.reporting import identity, performance, units
from verifykit.reporting.escape import block, code, inline
from verifykit.reporting.tables import table
from verifykit.reporting.verdict import is_profile, verdict
from verifykit.results import Audit, Finding, Report, SpecFacts


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
    if is_profile(audit):
        yield from performance.section(audit.measurements, heading)
    yield from identity.section(audit, heading)
    yield from _verified(audit, heading)
    yield from _undecided(audit, heading)
    if not is_profile(audit):
        yield from performance.section(audit.measurements, heading)
    if audit.spec is not None:
        yield from _spec(audit.spec, heading)


def _finding(number: int, finding: Finding) -> Iterator[str]:
    where = f" at {code(str(finding.location))}" if finding.location else ""
    likely = "" if finding.confidence == "certain" else ", likely"
    yield f"{number}. **{finding.severity}{likely}**, {code(finding.rule)}{where}: {inline(finding.message)}"
    if finding.evidence:
        yield table(("evidence", "value"), [(inline(k), code(units.plain(v))) for k, v in finding.evidence.items()])
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
        yield table(("check", "what", "examples", "worst error", "tolerance"), rows)


def _undecided(audit: Audit, heading: str) -> Iterator[str]:
    rows = [
        (code(outcome.check), outcome.status, inline(outcome.reason or ""))
        for outcome in audit.checks
        if outcome.reason is not None and not (outcome.status == "skipped" and is_profile(audit))
    ]
    if rows:
        yield f"{heading} What was not, and why"
        yield table(("check", "outcome", "reason"), rows)


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
    yield table(("", "", "from"), rows)


def _environment(report: Report) -> Iterator[str]:
    if report.command:
        yield block(report.command, "sh")
    e = report.environment
    rows = [
        ("verifykit", report.verifykit),
        ("torch", e.torch),
        ("Python", e.python),
        ("platform", inline(e.platform)),
        ("device", f"{inline(e.device)}, {'1 thread' if e.threads == 1 else f'up to {e.threads} threads'}"),
        ("seed", str(report.seed)),
    ]
    yield table(("", ""), rows)


def _summary(audits: list[Audit]) -> str:
    return table(("target", "verdict"), [(code(audit.target), inline(verdict(audit))) for audit in audits])
