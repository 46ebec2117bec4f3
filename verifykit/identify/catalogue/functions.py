"""The documented functions of torch that return what their inputs alone decide, found through its list of functions
that can be overridden.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

import torch

from verifykit.identify.catalogue.factory import Factory, python_factory, spatial_of
from verifykit.identify.catalogue.signatures import Argument, function_arguments, schema_arguments
from verifykit.identify.catalogue.table import FUNCTIONS_OTHERWISE, NO_FUNCTIONS
from verifykit.targets import Target

# Where a function is looked for by its name, and what operators of that place are called.
_PLACES = (
    ("torch.nn.functional", torch.nn.functional, ""),
    ("torch", torch, ""),
    ("torch.special", torch.special, "special_"),
    ("torch.linalg", torch.linalg, "linalg_"),
    ("torch.fft", torch.fft, "fft_"),
)

# Where the functions written in Python are defined that are operations like those in C.
_WRITTEN = ("torch.functional", "torch.nn.functional")


@lru_cache(maxsize=8)
def function_factories(tensors: int) -> tuple[Factory, ...]:
    """Return a factory for every way to call a function of torch with ``tensors`` tensors by position."""
    found: list[Factory] = []
    for path, function, kinds in _signatures():
        for arguments in kinds:
            listed = bool(arguments) and arguments[0].kind == "tensor" and arguments[0].several
            taken = 1 if listed else tensors
            if len(arguments) < taken or not all(_may_be_tensor(a) for a in arguments[:taken]):
                continue
            if any(a.kind == "tensor" and a.required for a in arguments[taken:]):
                continue
            where, _, name = path.rpartition(".")
            called = _of_list(function) if listed else function
            target = Target(f"{where}:{name}", called, "function", None)
            rest = tuple(a for a in arguments[taken:] if a.kind != "tensor")
            found.append(
                Factory(path, target, rest, tensors, tensors, spatial_of(name), "[{inputs}]" if listed else "{inputs}")
            )
    for function, (path, passed) in FUNCTIONS_OTHERWISE.items():
        if tensors == 1:
            found.append(replace(python_factory(function, path, function, 1), passed=passed))
    return tuple(found)


def _may_be_tensor(argument: Argument) -> bool:
    return argument.kind == "tensor" or argument.untold


def _of_list(function: Callable[..., Any]) -> Callable[..., Any]:
    def called(*tensors: Any, **named: Any) -> Any:
        return function(list(tensors), **named)

    return called


@lru_cache(maxsize=1)
def _signatures() -> tuple[tuple[str, Callable[..., Any], list[list[Argument]]], ...]:
    """Each function with its path and the lists of arguments that it may be called with."""
    shown = torch.overrides.get_testing_overrides()
    known = set(map(id, shown))
    found = []
    for place, module, prefix in _PLACES:
        for name, function in sorted(vars(module).items()):
            if id(function) in known and _is_operation(name, function):
                kinds = list(_kinds(function, name, prefix, shown[function]))
                found.append((f"{place}.{name}", function, kinds))
    seen: set[int] = set()
    unique = []
    for entry in found:  # one function under several names counts once
        if id(entry[1]) not in seen:
            seen.add(id(entry[1]))
            unique.append(entry)
    return tuple(unique)


def _is_operation(name: str, function: Any) -> bool:
    if not callable(function) or isinstance(function, type) or name[:1] == "_" or name[-1:] == "_":
        return False
    if inspect.isfunction(function) and function.__module__ not in _WRITTEN:
        return False  # symbolic sizes, iterative and random algorithms
    text = getattr(function, "__doc__", None) or ""
    return (
        bool(text)
        and name not in NO_FUNCTIONS
        and not re.search(r"\bAlias (for|of) :|Performs the same operation as :", text)
    )


def _kinds(function: Any, name: str, prefix: str, shown: Callable[..., Any]) -> Iterator[list[Argument]]:
    if inspect.isfunction(function):
        yield function_arguments(function, shown)
        return
    seen: set[tuple[tuple[str, str], ...]] = set()
    for schema in torch._C._jit_get_schemas_for_operator(f"aten::{prefix}{name}"):
        given = schema.arguments
        written = [str(argument.type) for argument in given]
        if any(a.alias_info is not None and a.alias_info.is_write for a in given) or "Dimname" in str(schema):
            continue
        if any("Generator" in text for text in written):
            continue
        arguments = schema_arguments(schema, function)
        key = tuple((argument.name, argument.kind) for argument in arguments)
        if key not in seen:
            seen.add(key)
            yield arguments
