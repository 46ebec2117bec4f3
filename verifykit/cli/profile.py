"""``verifykit profile TARGET…``: what it costs, against what, how it grows, and what the limit is."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
import msgspec

from verifykit.cli import options
from verifykit.cli.output import finish, output_for
from verifykit.config import TargetConfig, load_config
from verifykit.errors import UserError
from verifykit.events import AuditFinished
from verifykit.reproduction import command_line
from verifykit.results import Audit, Report

if TYPE_CHECKING:
    from verifykit.runner import Plan

EPILOG = """\b
Examples:
  verifykit profile mymodule:MyLayer
  verifykit profile layers.py:Attention --size L=512 --reference torch.nn:MultiheadAttention
  verifykit profile mymodule:MyLayer --quick --save before
  verifykit profile mymodule:MyLayer --quick --compare before
  verifykit profile mymodule:MyLayer --format markdown --output profile.md
"""


@click.command("profile", epilog=EPILOG)
@options.targets()
@options.feeding()
@click.option(
    "--size",
    "sizes",
    multiple=True,
    metavar="NAME=SIZE",
    help="The size of a free dimension, such as N=256; repeatable.  [default: 32 for the first, 64 for others]",
)
@click.option("--quick", is_flag=True, help="In three seconds: no growth, no machine limits, no search for a built-in.")
@click.option("--compile", "compiled", is_flag=True, help="Also time it under torch.compile, which takes a while.")
@click.option("--save", metavar="NAME", help="Keep the measurements under this name, in .verifykit/.")
@click.option("--compare", metavar="NAME", help="Hold this run against the one that was saved under this name.")
@options.running()
@options.reporting()
@options.failing()
def command(
    targets: tuple[str, ...],
    init: tuple[str, ...],
    inputs: tuple[str, ...],
    reference: str | None,
    sizes: tuple[str, ...],
    quick: bool,
    compiled: bool,
    save: str | None,
    compare: str | None,
    seed: int,
    device: str,
    formats: tuple[str, ...],
    output_path: str | None,
    fail_on: Literal["error", "warning", "never"] | None,
) -> None:
    """Measure what TARGETs cost: time, memory, FLOPs, beside a reference and the machine's limits, and how it grows.

    The reference is the one given, pinned in pyproject.toml, or else the built-in that the target is found to equal.
    Budgets pinned there, such as max-slowdown = 1.2, are judged: only what is beyond them for certain is an error.

    Without TARGET, those of [tool.verifykit] in pyproject.toml are profiled.
    """
    from verifykit.spec.declared import parse_init_option, parse_input_option

    config = load_config(Path.cwd())
    given = TargetConfig(dict(map(parse_init_option, init)), dict(map(parse_input_option, inputs)), reference)
    fixed = dict(map(_size, sizes))
    names, audits = options.names_of(targets, config, "profile")
    output = output_for(names, formats, output_path)

    # From here on torch is needed.
    from verifykit.checks.registry import built_in_check
    from verifykit.execution.environment import describe_environment
    from verifykit.profiling import extent
    from verifykit.profiling.baselines import check_names
    from verifykit.runner import Plan

    environment = describe_environment(device)
    check_names(save, compare, names, Path.cwd())
    amount = (extent.quick if quick else extent.full)(fixed, compile=compiled)
    for name in names:
        plan = Plan(
            [built_in_check("performance-budget")],
            given,
            config.target.get(name, TargetConfig()),
            seed,
            device,
            profile=amount,
            trace=output.traces.get(name),
            only_profile=True,
        )
        audits.append(_with_baselines(_run(name, plan), save, compare))
    extra = [word for name, size in fixed.items() for word in ("--size", f"{name}={size}")]
    extra += ["--quick"] * quick + ["--compile"] * compiled
    report = Report(environment, seed, audits, command_line("profile", targets, given, seed, *extra))
    output.publish(report, lambda name: command_line("profile", [name], given, seed, *extra))
    finish(report, fail_on or config.fail_on)


def _run(name: str, plan: "Plan") -> Audit:
    from verifykit.reporting.terminal import LiveProgress
    from verifykit.runner import audit

    with LiveProgress() as progress:
        for event in audit(name, plan):
            progress.handle(event)
            if isinstance(event, AuditFinished):
                return event.audit
    raise AssertionError("an audit ends with its result")


def _with_baselines(done: Audit, save: str | None, compare: str | None) -> Audit:
    """``done`` held against a baseline, before it is kept as another."""
    from verifykit.profiling.baselines import compare as held_against
    from verifykit.profiling.baselines import save as keep

    if done.measurements.profile is None:
        return done
    found = done
    if compare is not None:
        held = held_against(compare, done.target, done.measurements, Path.cwd())
        found = msgspec.structs.replace(done, measurements=msgspec.structs.replace(done.measurements, baseline=held))
    if save is not None:
        keep(save, done.target, done.measurements, Path.cwd())
    return found


def _size(text: str) -> tuple[str, int]:
    name, equals, size = text.partition("=")
    if not equals or not name.strip().isidentifier() or not size.strip().isdecimal() or int(size) < 1:
        raise UserError(f"--size {text!r} is malformed: expected NAME=SIZE, such as N=256, with a size from 1 up.")
    return name.strip(), int(size)
