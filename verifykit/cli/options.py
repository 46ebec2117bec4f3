"""Options that several commands have, and what is made of them."""

from collections.abc import Callable, Iterable
from typing import Any

import click

from verifykit.config import Config
from verifykit.errors import UserError
from verifykit.packages import expanded
from verifykit.results import Audit, AuditError

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def targets() -> Decorator:
    """What is looked at: any number of targets."""
    return click.argument("targets", nargs=-1, metavar="TARGET...")


def feeding() -> Decorator:
    """How a target is built, fed, and what it is compared with."""
    return _all(
        click.option("--init", multiple=True, metavar="NAME=VALUE", help="A constructor argument, as a literal."),
        click.option(
            "--input",
            "inputs",
            multiple=True,
            metavar="SPEC",
            help="A forward argument: 'NAME: float[N, 5] in (0, 1)'.",
        ),
        click.option(
            "--reference",
            metavar="TARGET",
            help="What to compare with: torch.nn:Linear or 'torch.nn:Threshold(0.5, 0)'.",
        ),
    )


def running() -> Decorator:
    """The seed and the device."""
    return _all(
        click.option(
            "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Fixes every random choice."
        ),
        click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True),
    )


def reporting() -> Decorator:
    """Formats and where they go."""
    return _all(
        click.option(
            "--format",
            "formats",
            multiple=True,
            metavar="NAME",
            help="terminal, json or markdown; repeatable.  [default: terminal]",
        ),
        click.option(
            "--output",
            "output_path",
            metavar="PATH",
            help="A file for json or markdown, or a folder for one file per target; beside markdown also its charts.",
        ),
    )


def failing() -> Decorator:
    """What fails the run."""
    return click.option(
        "--fail-on",
        type=click.Choice(["error", "warning", "never"]),
        help="The least severity that gives exit code 1.  [default: error]",
    )


def names_of(targets: Iterable[str], config: Config, doing: str) -> tuple[list[str], list[Audit]]:
    """Return the targets that were meant, or else those of ``config``, packages as what is in them; and an audit that
    could not be done for each that could not be imported. ``doing`` names the command.

    Raises:
        UserError: there is no target.
    """
    wanted = list(dict.fromkeys(targets or config.targets))
    if not wanted:
        raise UserError(f"nothing to {doing}: give a TARGET such as mymodule:MyLayer, or targets in [tool.verifykit].")
    names: list[str] = []
    failures: list[Audit] = []
    for name in wanted:
        found, failed = expanded(name)
        names += found
        failures += [Audit(name, "error", AuditError(error.kind, str(error))) for error in failed]
    return list(dict.fromkeys(names)), failures


def _all(*decorators: Decorator) -> Decorator:
    def apply(function: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply
