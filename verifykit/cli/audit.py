"""``verifykit audit TARGET…``: verify, profile, report."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import click
import msgspec

from verifykit.config import TargetConfig, load_config
from verifykit.errors import TargetError, UserError, did_you_mean
from verifykit.events import AuditFinished
from verifykit.packages import expanded
from verifykit.reporting import FILE_FORMATS, render
from verifykit.reporting.writing import check_writable, file_names, report_paths, write_atomically
from verifykit.reproduction import audit_command
from verifykit.results import Audit, AuditError, Report, exit_code

EPILOG = """\b
Examples:
  verifykit audit mymodule:MyLayer --init hidden=16 --input 'x: float[N, 5]'
  verifykit audit layers.py:Scale --reference torch.nn:Linear --fail-on warning
  verifykit audit reference_modules:CustomLinear --format markdown --output report.md
"""


@click.command("audit", epilog=EPILOG)
@click.argument("targets", nargs=-1, metavar="TARGET...")
@click.option("--init", multiple=True, metavar="NAME=VALUE", help="A constructor argument, as a Python literal.")
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="SPEC",
    help="A forward argument: 'NAME: float[N, 5] in (0, 1)'.",
)
@click.option(
    "--reference",
    metavar="TARGET",
    help="What to compare with: torch.nn:Linear or 'torch.nn:Threshold(0.5, 0)'.",
)
@click.option("--select", multiple=True, metavar="CHECK", help="Only these checks or families (comma-separated).")
@click.option("--ignore", multiple=True, metavar="CHECK", help="Not these checks or families (comma-separated).")
@click.option("--no-profile", is_flag=True, help="Leave time and memory unmeasured.")
@click.option("--durations", is_flag=True, help="Also show where the time went, the longest part first.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Fixes every random choice.")
@click.option(
    "--budget",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="For each target: search no inputs and begin no check after this time.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="NAME",
    help="terminal, json or markdown; repeatable.  [default: terminal]",
)
@click.option(
    "--output",
    metavar="PATH",
    help="A file for json or markdown, or a folder for one file per target; beside markdown also its charts.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "never"]),
    help="The least severity that gives exit code 1.  [default: error]",
)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
def command(
    targets: tuple[str, ...],
    init: tuple[str, ...],
    inputs: tuple[str, ...],
    reference: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    no_profile: bool,
    durations: bool,
    seed: int,
    budget: float,
    formats: tuple[str, ...],
    output: str | None,
    fail_on: Literal["error", "warning", "never"] | None,
    device: str,
) -> None:
    """Verify TARGETs, 'module:Attr' or 'path/to/file.py:Attr': gradients, shapes, parity, cost.

    A package, 'pkg', stands for every public module class in it.

    Without TARGET, those of [tool.verifykit] in pyproject.toml are audited.
    """
    from verifykit.spec.declared import parse_init_option, parse_input_option

    config = load_config(Path.cwd())
    wanted = list(dict.fromkeys(targets or config.targets))
    if not wanted:
        raise UserError("nothing to audit: give a TARGET such as mymodule:MyLayer, or targets in [tool.verifykit].")
    chosen = _formats(formats)
    given = TargetConfig(dict(map(parse_init_option, init)), dict(map(parse_input_option, inputs)), reference)
    names, failures = _expanded(wanted)
    files = _files(names, chosen, output)

    # From here on torch is needed.
    from rich.console import Console

    from verifykit.checks.registry import load_checks, select_checks
    from verifykit.execution.environment import describe_environment
    from verifykit.reporting.durations import Durations
    from verifykit.reporting.terminal import LiveProgress
    from verifykit.runner import Plan, audit

    checks = select_checks(load_checks(config.load), _split(select) or config.select, [*_split(ignore), *config.ignore])
    environment = describe_environment(device)
    beside = _beside(names, files)
    traces = {name: path.with_name(f"{path.name}.trace.json.gz") for name, path in beside.items()}
    audits = [Audit(name, "error", AuditError(error.kind, str(error))) for name, error in failures]
    spent = Durations()
    with LiveProgress() as progress:
        for name in names:
            pinned = config.target.get(name, TargetConfig())
            plan = Plan(checks, given, pinned, seed, device, budget, not no_profile, traces.get(name))
            for event in audit(name, plan):
                progress.handle(event)
                spent.handle(event)
                if isinstance(event, AuditFinished):
                    audits.append(event.audit)
    audits = [_with_charts(done, beside.get(done.target)) for done in audits]
    report = Report(environment, seed, audits, audit_command(targets, given, seed))
    _publish(report, chosen, files, lambda name: audit_command([name], given, seed))
    if durations:
        spent.print(Console(stderr="terminal" not in chosen, highlight=False))
    for done in audits:
        if done.error is not None:
            click.echo(f"verifykit: {done.error.message}", err=True)
    sys.exit(exit_code(report, fail_on or config.fail_on))


def _expanded(wanted: list[str]) -> tuple[list[str], list[tuple[str, TargetError]]]:
    """The targets that were meant, and which of them could not all be imported."""
    names: list[str] = []
    failures: list[tuple[str, TargetError]] = []
    for name in wanted:
        found, failed = expanded(name)
        names += found
        failures += [(name, error) for error in failed]
    return list(dict.fromkeys(names)), failures


Files = dict[Path, tuple[str, str | None]]


def _files(names: list[str], chosen: list[str], output: str | None) -> Files:
    endings = {name: FILE_FORMATS[name] for name in chosen if name in FILE_FORMATS}
    if output is None:
        return {}
    if not endings:
        raise UserError(
            f"--output {output!r} needs a format that is written to a file: --format {' or '.join(FILE_FORMATS)}."
        )
    files = report_paths(names, endings, output)
    for path in files:
        check_writable(path)
    return files


def _beside(names: list[str], files: Files) -> dict[str, Path]:
    """Where what goes with the Markdown report of each target lies, without endings; empty if none is written."""
    folder = next((path.parent for path, (format, _) in files.items() if format == "markdown"), None)
    if folder is None:
        return {}
    return {name: folder / stem for name, stem in file_names(names).items()}


def _with_charts(audit: Audit, beside: Path | None) -> Audit:
    """``audit`` naming its charts, which are written beside its Markdown report if there is one."""
    from verifykit.reporting.charts import curve_chart, with_curve_chart

    picture = curve_chart(audit) if beside is not None else None
    if beside is None or picture is None:
        return audit
    path = beside.with_name(f"{beside.name}.curve.svg")
    write_atomically(path, picture)
    return with_curve_chart(audit, path.name)


def _publish(report: Report, chosen: list[str], files: Files, command_for: Callable[[str], str]) -> None:
    from rich.console import Console

    from verifykit.reporting.terminal import print_report

    for path, (format, target) in files.items():
        part = report
        if target is not None:
            audits = [audit for audit in report.audits if audit.target == target]
            part = msgspec.structs.replace(report, audits=audits, command=command_for(target))
        write_atomically(path, render(part, format))
    for format in chosen:
        if format == "terminal":
            print_report(report, Console(highlight=False))
        elif not files:
            click.echo(render(report, format), nl=False)


def _split(values: tuple[str, ...]) -> list[str]:
    return [name.strip() for value in values for name in value.split(",") if name.strip()]


def _formats(given: tuple[str, ...]) -> list[str]:
    known = ("terminal", *FILE_FORMATS)
    for name in given:
        if name not in known:
            raise UserError(f"unknown format {name!r}: expected one of {', '.join(known)}.{did_you_mean(name, known)}")
    return list(dict.fromkeys(given)) or ["terminal"]
