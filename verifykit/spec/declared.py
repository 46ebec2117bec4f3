"""What the user gave: the command line first, then pyproject, then the class attribute ``__verifykit__``."""

import ast
from typing import Any

from verifykit.config import TargetConfig, parse_target_config
from verifykit.errors import SpecError
from verifykit.spec.model import InputSpec, Spec, parse_input
from verifykit.targets import Target

GIVEN = COMMAND_LINE, PYPROJECT, ATTRIBUTE = "command line", "pyproject", "__verifykit__"


def parse_init_option(text: str) -> tuple[str, Any]:
    """Return name and value of ``NAME=VALUE``, the value a Python literal.

    Raises:
        SpecError: there is no ``=``, the name is no identifier, or the value is no literal.
    """
    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals or not name.isidentifier():
        raise SpecError(f"--init {text!r} is malformed: expected NAME=VALUE, such as --init hidden=16.")
    try:
        return name, ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise SpecError(
            f"--init {text!r} is malformed: {value.strip()!r} is no Python literal. "
            f"Quote strings twice: --init \"{name}='...'\"."
        ) from None


def parse_input_option(text: str) -> tuple[str, str]:
    """Return name and description of ``NAME: DTYPE[DIM, ...] in DOMAIN``.

    Raises:
        SpecError: there is no ``:``, the name is no identifier, or the description is malformed.
    """
    name, colon, description = text.partition(":")
    name = name.strip()
    if not colon or not name.isidentifier():
        raise SpecError(
            f"--input {text!r} is malformed: expected 'NAME: DTYPE[DIM, ...]', such as 'x: float[N, 5] in (0, 1)'."
        )
    parse_input(name, description)
    return name, description.strip()


def attribute_config(target: Target) -> TargetConfig:
    """Return what the class attribute ``__verifykit__`` of the target says; nothing where it has none.

    Raises:
        ConfigError: it holds an unknown key, or a value of the wrong type.
    """
    data = getattr(target.obj, "__verifykit__", None)
    if data is None:
        return TargetConfig()
    return parse_target_config(data, f"{target.name}.__verifykit__")


def declared_spec(target: Target, command_line: TargetConfig, pyproject: TargetConfig) -> Spec:
    """Merge what was given for ``target``, entry by entry; the order of the inputs is that of the first who named them.

    Raises:
        SpecError: an input is malformed.
        ConfigError: ``__verifykit__`` is malformed.
    """
    layers = [(COMMAND_LINE, command_line), (PYPROJECT, pyproject), (ATTRIBUTE, attribute_config(target))]
    init: dict[str, Any] = {}
    inputs: dict[str, InputSpec] = {}
    sources: dict[str, str] = {}
    for source, layer in layers:
        for name, value in layer.init.items():
            if name not in init:
                init[name] = value
                sources[f"init.{name}"] = source
        for name, description in layer.inputs.items():
            if name not in inputs:
                inputs[name] = parse_input(name, description)
                sources[f"inputs.{name}"] = source
    return Spec(init, tuple(inputs.values()), sources)
