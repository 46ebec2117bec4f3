"""``verifykit audit TARGET…``: verify, profile, report."""

import shlex
import sys
from pathlib import Path
from typing import Literal

import click

from verifykit.errors import UserError

FILE_FORMATS = ("json", "markdown")

EPILOG = """\b
Examples:
  verifykit audit mymodule:MyLayer --init hidden=16 --input 'x: float[N, 5]'
  verifykit audit layers.py:Scale --reference torch.nn:Linear --fail-on warning
  verifykit audit reference_modules:CustomLinear --format markdown --output report.md
"""


@click.command("audit", epilog=EPILOG)
@click.argument("targets", nargs=-1, metavar="TARGET...")
@click.option("--init", multiple=True, metavar="NAME=VALUE", help="A constructor argument, as a Python literal.")
@click.option("--input", "inputs", multiple=True, metavar="SPEC", help="A forward argument: 'NAME: float[N, 5] in (0, 1)'.")
@click.option("--reference", metavar="TARGET", help="What to compare with: torch.nn:Linear or 'torch.nn:Threshold(0.5, 0)'.")
@click.option("--select", multiple=True, metavar="CHECK", help="Only these checks or families (comma-separated).")
@click.option("--ignore", multiple=True, metavar="CHECK", help="Not these checks or families (comma-separated).")
@click.option("--no-profile", is_flag=True, help="Leave time and memory unmeasured.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Fixes every random choice.")
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Begin no check after this time.")
@click.option("--format", "formats", multiple=True, metavar="NAME", help="terminal, json or markdown; repeatable.  [default: terminal]")
@click.option("--output", metavar="PATH", help="A file for json or markdown, or a folder for one file per target.")
@click.option("--fail-on", type=click.Choice(["error", "warning", "never"]), help="The least severity that gives exit code 1.  [default: error]")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
def command(
    targets: tuple[str, ...],
    init: tuple[str, ...],
    inputs: tuple[str, ...],
    reference: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    no_profile: bool,
    seed: int,
    budget: float | None,
    formats: tuple[str, ...],
    output: str | None,
    fail_on: Literal["error", "warning", "never"] | None,
    device: str,
) -> None:
    """Verify TARGETs, 'module:Attr' or 'path/to/file.py:Attr': gradients, shapes, parity, cost.

    Without TARGET, those of [tool.verifykit] in pyproject.toml are audited.
    """
    from verifykit.config import TargetConfig, load_config
    from verifykit.reporting.writing import check_writable, report_paths
    from verifykit.spec.declared import parse_init_option, parse_input_option

    config = load_config(Path.cwd())
    names = list(dict.fromkeys(targets or config.targets))
    if not names:
        raise UserError("nothing to audit: give a TARGET such as mymodule:MyLayer, or targets in [tool.verifykit].")
    chosen = _formats(formats)
    given = TargetConfig(dict(map(parse_init_option, init)), dict(map(parse_input_option, inputs)), reference)
    paths = report_paths(names, [name for name in chosen if name in FILE_FORMATS], output)
    for path in dict.fromkeys(paths.values()):
        check_writable(path)

    # From here on torch is needed.
    from verifykit.checks.registry import load_checks, select_checks
    from verifykit.execution.environment import describe_environment
    from verifykit.runner import Plan

    checks = select_checks(load_checks(config.load), _split(select) or config.select, [*_split(ignore), *config.ignore])
    environment = describe_environment(device)
    print(checks, environment, Plan, shlex, sys, given, seed, budget, no_profile, fail_on)


def _split(values: tuple[str, ...]) -> list[str]:
    return [name.strip() for value in values for name in value.split(",") if name.strip()]


def _formats(given: tuple[str, ...]) -> list[str]:
    from verifykit.errors import did_you_mean

    known = ("terminal", *FILE_FORMATS)
    for name in given:
        if name not in known:
            raise UserError(f"unknown format {name!r}: expected one of {', '.join(known)}.{did_you_mean(name, known)}")
    return list(dict.fromkeys(given)) or ["terminal"]
