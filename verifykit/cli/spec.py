"""``verifykit spec TARGET``: how the target is built and fed, ready to paste into pyproject.toml."""

from pathlib import Path

import click

from verifykit.config import TargetConfig, load_config

EPILOG = """\b
Examples:
  verifykit spec mymodule:MyLayer
  verifykit spec mymodule:MyLayer --init hidden=16 >> pyproject.toml
  verifykit spec mymodule:MyLayer --check
"""


@click.command("spec", epilog=EPILOG)
@click.argument("target")
@click.option("--init", multiple=True, metavar="NAME=VALUE", help="A constructor argument, as a Python literal.")
@click.option("--input", "inputs", multiple=True, metavar="SPEC", help="A forward argument: 'NAME: float[N, 5]'.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Fixes every random choice.")
@click.option("--check", is_flag=True, help="Infer nothing: does what is pinned for TARGET still work?")
def command(target: str, init: tuple[str, ...], inputs: tuple[str, ...], seed: int, check: bool) -> None:
    """Print the spec of TARGET as TOML for pyproject.toml, each part with where it came from.

    What is given or pinned stays; the rest is inferred.
    """
    from verifykit.spec.declared import parse_init_option, parse_input_option

    given = TargetConfig(dict(map(parse_init_option, init)), dict(map(parse_input_option, inputs)))
    pinned = load_config(Path.cwd()).target.get(target, TargetConfig())

    # From here on torch is needed.
    from verifykit.errors import SpecError
    from verifykit.runner import Plan, prepare
    from verifykit.spec.declared import GIVEN
    from verifykit.spec.outputs import learn_outputs
    from verifykit.spec.toml import as_toml

    subject, _ = prepare(target, Plan([], given, pinned, seed))
    inferred = [name for name, source in subject.spec.sources.items() if source not in GIVEN]
    if not check:
        click.echo(as_toml(target, subject.spec, learn_outputs(subject)), nl=False)
    elif inferred:
        names = ", ".join(name.partition(".")[2] for name in inferred)
        raise SpecError(f"{target}: nothing is pinned for {names}; `verifykit spec {target}` infers it.")
    else:
        click.echo(f"{target}: the pinned spec works.")
