"""The terminal: live progress on standard error, then a table of results and each finding in full."""

from types import TracebackType

from rich.console import Console
from rich.padding import Padding
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from verifykit.events import AuditFinished, AuditStarted, CheckStarted, Event, ProfileStarted
from verifykit.reporting import identity, units
from verifykit.reporting.escape import visible
from verifykit.reporting.performance.summary import line
from verifykit.reporting.performance.terminal import print_cost
from verifykit.reporting.verdict import is_profile, verdict
from verifykit.results import Audit, CheckOutcome, Finding, Report

# Rows that a person reads.
ROWS = 12

STYLE = {
    "passed": "green",
    "failed": "bold red",
    "error": "bold red",
    "crashed": "magenta",
    "warning": "yellow",
    "inconclusive": "yellow",
    "incomplete": "yellow",
    "skipped": "dim",
    "note": "cyan",
}


class LiveProgress:
    """Shows on standard error what is going on, while it does; nothing where that is no terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task("")
        self._target = ""

    def __enter__(self) -> "LiveProgress":
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._progress.stop()

    def handle(self, event: Event) -> None:
        """Show ``event``."""
        match event:
            case AuditStarted(target=target):
                self._target = visible(target)
                self._say("building and feeding it")
            case CheckStarted(check=check, position=position, total=total):
                self._say(f"{check} ({position} of {total})")
            case ProfileStarted():
                self._say("profiling")
            case AuditFinished():
                self._say("done")

    def _say(self, what: str) -> None:
        self._progress.update(self._task, description=f"{self._target}: {what}")


def print_report(report: Report, console: Console) -> None:
    """Print the results of every audit; one that could not start is left to the error line of the command.

    What a module costs is one line, and all that was found where it was what was asked for: see
    :func:`~verifykit.reporting.verdict.is_profile`.
    """
    for audit in report.audits:
        if audit.error is None:
            _print_audit(audit, console)
    if len(report.audits) > 1:
        console.print(_summary(report.audits))


def _summary(audits: list[Audit]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title="Summary", title_justify="left")
    table.add_column("target", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("outcome", overflow="fold")
    for audit in audits:
        told = Text(visible(verdict(audit).partition(": ")[2] or verdict(audit)))
        table.add_row(Text(visible(audit.target)), Text(audit.status, style=STYLE[audit.status]), told)
    return table


def _print_audit(audit: Audit, console: Console) -> None:
    headline = Text(visible(audit.target), style="bold")
    headline.append(f" {verdict(audit)}", style=STYLE[audit.status])
    console.print(headline, soft_wrap=True)
    outcomes = [one for one in audit.checks if one.status != "skipped" or not is_profile(audit)]
    if outcomes:
        _print_outcomes(outcomes, console)
    for finding in audit.findings:
        _print_finding(finding, console)
    for told in identity.lines(audit):
        console.print(Text(told), soft_wrap=True)
    if is_profile(audit):
        print_cost(audit.measurements, console)
    elif cost := line(audit.measurements):
        console.print(Text(cost, style="dim"))
    console.print()


def _print_outcomes(outcomes: list[CheckOutcome], console: Console) -> None:
    """A row for each; of many, a row for those that need attention, and the others by name."""
    if len(outcomes) <= ROWS:
        console.print(_results(outcomes))
        return
    quiet = {"passed": [o.check for o in outcomes if o.status == "passed"],
             "skipped": [o.check for o in outcomes if o.status == "skipped"]}  # fmt: skip
    if loud := [outcome for outcome in outcomes if outcome.status not in quiet]:
        console.print(_results(loud))
    for status, names in quiet.items():
        if names:
            line = Text(f"{len(names)} {status}", style=STYLE[status])
            console.print(line.append(f"  {', '.join(names)}", style="dim"))


def _results(outcomes: list[CheckOutcome]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    for outcome in outcomes:
        verified = [] if outcome.status == "failed" else outcome.verified
        told = outcome.reason or "; ".join(_verified(item.what, item.worst) for item in verified)
        status = Text(outcome.status, style=STYLE[outcome.status])
        table.add_row(
            Text(outcome.check),
            status,
            Text(visible(told)),
            Text(units.seconds(outcome.seconds), style="dim"),
        )
    return table


def _verified(what: str, worst: float | None) -> str:
    return what if worst is None else f"{what} (worst error {worst:.2g})"


def _print_finding(finding: Finding, console: Console) -> None:
    severity = finding.severity or "error"
    head = Text(f"\n{severity}", style=STYLE[severity])
    head.append(f" {finding.rule}", style="bold")
    if finding.confidence == "likely":
        head.append(" (likely)", style="dim")
    if finding.location:
        head.append(f"  {visible(str(finding.location))}", style="underline")
    console.print(head, soft_wrap=True)
    console.print(Padding(Text(visible(finding.message)), (0, 0, 0, 2)))
    width = max((len(name) for name in finding.evidence), default=0)
    for name, value in finding.evidence.items():
        console.print(
            Padding(Text(f"{visible(name):<{width}}  {visible(units.plain(value))}", style="dim"), (0, 0, 0, 4))
        )
    if finding.reproduce:
        console.print(Text(f"  reproduce: {visible(finding.command)}", style="dim"), soft_wrap=True)
