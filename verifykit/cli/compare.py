"""``verifykit compare CANDIDATE REFERENCE``: may the one replace the other?"""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from verifykit.config import TargetConfig, load_config
from verifykit.errors import SpecError, UserError

if TYPE_CHECKING:
    from verifykit.results.comparison import Comparison
    from verifykit.spec.subject import Subject

EPILOG = """\b
Examples:
  verifykit compare mine.py:FastGELU torch.nn:GELU
  verifykit compare mine.py:Clip 'torch.nn:Threshold(0.5, 0)' --init threshold=0.5
  verifykit compare fast.py:Attention reference.py:Attention --input 'x: float[N, L, 8]'
  verifykit compare fast.py:Attention reference.py --format markdown --output comparison.md

\b
Exit codes:
  0  equal
  1  differs: the smallest counterexample is shown
  2  usage, configuration or target error
  3  nothing could be compared, or nothing decided
"""

EXIT = {"equal": 0, "differs": 1, "inconclusive": 3}


@click.command("compare", epilog=EPILOG)
@click.argument("candidate")
@click.argument("reference")
@click.option("--init", multiple=True, metavar="NAME=VALUE", help="A constructor argument of CANDIDATE, as a literal.")
@click.option("--input", "inputs", multiple=True, metavar="SPEC", help="A forward argument: 'NAME: float[N, 5]'.")
@click.option("--no-profile", is_flag=True, help="Leave time and memory unmeasured.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Fixes every random choice.")
@click.option("--format", "format", default="terminal", metavar="NAME", help="terminal, json or markdown.")
@click.option("--output", metavar="PATH", help="A file for json or markdown.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
def command(
    candidate: str,
    reference: str,
    init: tuple[str, ...],
    inputs: tuple[str, ...],
    no_profile: bool,
    seed: int,
    format: str,
    output: str | None,
    device: str,
) -> None:
    """Compare CANDIDATE with the REFERENCE that it is to replace, both 'module:Attr' or 'path/to/file.py:Attr'.

    REFERENCE may carry arguments, 'torch.nn:Linear(6, 4)': literals, or names of CANDIDATE's arguments; without, they
    are taken from CANDIDATE's. A file alone, 'reference.py', means what is called as CANDIDATE there.

    Both are built and fed alike, by what is given here, pinned in pyproject or inferred of CANDIDATE, else of
    REFERENCE. CANDIDATE's parameters are carried over by name, shape or layout. They are equal if values, gradients and
    double backward agree to rounding in float64 and float32, at many sizes, seeds and values, in eval and training
    mode; in bfloat16 and float16 the candidate's error must not be much greater than the reference's own. Outputs that
    never vary count for nothing.
    """
    from verifykit.reporting.writing import check_writable, write_atomically
    from verifykit.spec.declared import parse_init_option, parse_input_option

    if format not in ("terminal", "json", "markdown"):
        raise UserError(f"unknown format {format!r}: expected terminal, json or markdown.")
    if output is not None:
        if format == "terminal":
            raise UserError(f"--output {output!r} needs --format json or --format markdown.")
        check_writable(Path(output))
    given = TargetConfig(dict(map(parse_init_option, init)), dict(map(parse_input_option, inputs)))

    # From here on torch is needed.
    from msgspec.structs import replace
    from rich.console import Console

    from verifykit.execution.environment import describe_environment
    from verifykit.reporting.comparison import as_json, as_markdown, print_comparison

    words = [word for word in sys.argv[1:] if word != "--debug"]
    found = replace(
        _compared(candidate, reference, given, seed, device, profile=not no_profile),
        environment=describe_environment(device),
        command=shlex.join(["verifykit", *words]),
    )
    if format == "terminal":
        print_comparison(found, Console(highlight=False))
    else:
        text = as_json(found) if format == "json" else as_markdown(found)
        if output is None:
            click.echo(text, nl=False)
        else:
            write_atomically(Path(output), text)
    sys.exit(EXIT[found.verdict])


def _compared(
    candidate: str, reference: str, given: TargetConfig, seed: int, device: str, *, profile: bool
) -> "Comparison":
    import warnings

    from verifykit.experiments.behaviour.globals import put_back
    from verifykit.identify.replacement.compare import compare
    from verifykit.spec.reference import resolve_reference
    from verifykit.spec.threads import threads_for

    with put_back(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the modules have to say does not belong between the results
        if reference.endswith(".py"):
            reference += f":{candidate.rpartition(':')[2]}"
        subject = _subject(candidate, reference, given, seed, device)
        other = resolve_reference(reference, subject.spec.init)
        with threads_for(subject.elements):
            return compare(subject, other, profile=profile)


def _subject(candidate: str, reference: str, given: TargetConfig, seed: int, device: str) -> "Subject":
    """The candidate, known to build and to take its inputs: where these cannot be found out, as the reference does."""
    from verifykit.runner import Plan, prepare
    from verifykit.spec.reference import resolve_reference

    pinned = load_config(Path.cwd()).target
    plan = Plan([], given, pinned.get(candidate, TargetConfig()), seed, device)
    try:
        return prepare(candidate, plan)[0]
    except SpecError as error:
        other = resolve_reference(reference, given.init)
        try:
            name = other.target.name
            fed = prepare(
                name, Plan([], TargetConfig(dict(other.init)), pinned.get(name, TargetConfig()), seed, device)
            )
            borrowed = _borrowed(candidate, fed[0], given)
            return prepare(candidate, Plan([], borrowed, plan.pinned, seed, device))[0]
        except SpecError:
            raise error from None


def _borrowed(candidate: str, other: "Subject", given: TargetConfig) -> TargetConfig:
    """What is given of the candidate, completed by how the reference is built and fed: arguments of the same name, and
    inputs by position.
    """
    import inspect

    from verifykit.targets import resolve

    target = resolve(candidate)
    made = inspect.signature(target.obj).parameters if target.kind in ("class", "factory") else {}
    init = {name: value for name, value in other.spec.init.items() if name in made}
    forward = target.obj if target.kind == "function" else getattr(target.obj, "forward", None)
    names = [n for n in inspect.signature(forward).parameters if n not in ("self", "ctx")] if forward else []
    inputs = {
        name: str(entry).partition(": ")[2] for name, entry in zip(names, other.spec.inputs, strict=False)
    }  # fmt: skip
    return TargetConfig({**init, **given.init}, {**inputs, **given.inputs})
