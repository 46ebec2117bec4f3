"""``verifykit audit TARGET…``: verify, profile, report."""

from pathlib import Path
from typing import Literal

import click

from verifykit.cli import options
from verifykit.cli.output import finish, output_for
from verifykit.config import TargetConfig, load_config
from verifykit.events import AuditFinished
from verifykit.reproduction import command_line
from verifykit.results import Report

EPILOG = """\b
Examples:
  verifykit audit mymodule:MyLayer --init hidden=16 --input 'x: float[N, 5]'
  verifykit audit layers.py:Scale --reference torch.nn:Linear --fail-on warning
  verifykit audit reference_modules:CustomLinear --format markdown --output report.md
"""


@click.command("audit", epilog=EPILOG)
@options.targets()
@options.feeding()
@click.option("--select", multiple=True, metavar="CHECK", help="Only these checks or families (comma-separated).")
@click.option("--ignore", multiple=True, metavar="CHECK", help="Not these checks or families (comma-separated).")
@click.option("--no-profile", is_flag=True, help="Leave time and memory unmeasured.")
@click.option("--durations", is_flag=True, help="Also show where the time went, the longest part first.")
@click.option(
    "--budget",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="For each target: search no inputs and begin no check after this time.",
)
@options.running()
@options.reporting()
@options.failing()
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
    output_path: str | None,
    fail_on: Literal["error", "warning", "never"] | None,
    device: str,
) -> None:
    """Verify TARGETs, 'module:Attr' or 'path/to/file.py:Attr': gradients, shapes, parity, cost.

    A package, 'pkg', stands for every public module class in it.

    Without TARGET, those of [tool.verifykit] in pyproject.toml are audited.
    """
    from verifykit.spec.declared import parse_init_option, parse_input_option

    config = load_config(Path.cwd())
    given = TargetConfig(dict(map(parse_init_option, init)), dict(map(parse_input_option, inputs)), reference)
    names, audits = options.names_of(targets, config, "audit")
    output = output_for(names, formats, output_path)

    # From here on torch is needed.
    from rich.console import Console

    from verifykit.checks.registry import load_checks, select_checks
    from verifykit.execution.environment import describe_environment
    from verifykit.profiling.extent import BRIEF
    from verifykit.reporting.durations import Durations
    from verifykit.reporting.terminal import LiveProgress
    from verifykit.runner import Plan, audit

    checks = select_checks(load_checks(config.load), _split(select) or config.select, [*_split(ignore), *config.ignore])
    environment = describe_environment(device)
    amount = None if no_profile else BRIEF
    spent = Durations()
    with LiveProgress() as progress:
        for name in names:
            pinned = config.target.get(name, TargetConfig())
            plan = Plan(checks, given, pinned, seed, device, budget, amount, output.traces.get(name))
            for event in audit(name, plan):
                progress.handle(event)
                spent.handle(event)
                if isinstance(event, AuditFinished):
                    audits.append(event.audit)
    report = Report(environment, seed, audits, command_line("audit", targets, given, seed))
    output.publish(report, lambda name: command_line("audit", [name], given, seed))
    if durations:
        spent.print(Console(stderr=not output.has_terminal, highlight=False))
    finish(report, fail_on or config.fail_on)


def _split(values: tuple[str, ...]) -> list[str]:
    return [name.strip() for value in values for name in value.split(",") if name.strip()]
