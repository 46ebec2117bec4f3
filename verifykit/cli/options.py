"""Options that several commands have, and what is made of them."""

from collections.abc import Callable
from typing import Any

import click

from verifykit.errors import TargetError
from verifykit.packages import expanded

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


def names_of(wanted: list[str]) -> tuple[list[str], list[tuple[str, TargetError]]]:
    """Return the targets that were meant, packages as what is in them, and which of them could not all be imported."""
    names: list[str] = []
    failures: list[tuple[str, TargetError]] = []
    for name in wanted:
        found, failed = expanded(name)
        names += found
        failures += [(name, error) for error in failed]
    return list(dict.fromkeys(names)), failures


def _all(*decorators: Decorator) -> Decorator:
    def apply(function: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply
