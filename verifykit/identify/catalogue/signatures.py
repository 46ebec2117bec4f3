"""The arguments of a constructor or function: what kind of value each takes, and what it may be called with."""

import inspect
import re
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, Union, get_args, get_origin

import torch
from torch import nn

# From here on an integer default is a size that a published model has.
USUAL = 256

Kind = Literal["bool", "int", "float", "str", "tensor", "other"]

# What changes no value: where and in what precision it is done, in place or not, how gradients are stored.
NEUTRAL = frozenset(
    re.findall(
        r"\w+",
        "device dtype inplace out layout requires_grad pin_memory size_average reduce sparse scale_grad_by_freq "
        "generator memory_format out_dtype return_indices training train enable_nested_tensor min_value max_value",
    )
)


@dataclass(frozen=True)
class Argument:
    """One argument. ``several`` says that a tuple is taken as well, or only; ``optional`` that ``None`` is.

    ``choices`` are the strings that the annotation or the documentation allows. ``untold``: nothing says its kind.
    """

    name: str
    kind: Kind
    default: Any = inspect.Parameter.empty
    several: bool = False
    optional: bool = False
    choices: tuple[str, ...] = ()
    untold: bool = False

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is inspect.Parameter.empty

    @property
    def is_size(self) -> bool:
        """Whether its default is a size of some usual model: it has to be given as much as a required one."""
        return self.kind == "int" and type(self.default) is int and self.default >= USUAL

    @property
    def is_rate(self) -> bool:
        """Whether it is a rate of dropout: 0 for what draws nothing."""
        return self.kind == "float" and "dropout" in self.name


def constructor_arguments(made: type[nn.Module]) -> list[Argument]:
    """Return the constructor arguments of ``made`` that may change what it computes.

    Where it hands all of them on, those of its first typing overload, or of the base class that names them.
    """
    parameters = _named_parameters(made)
    found = [_argument(parameter, made) for parameter in parameters if _matters(parameter)]
    if all(not a.required for a in found) and any(a.is_size for a in found):  # all sizes are those of one model
        return [replace(a, default=inspect.Parameter.empty) if type(a.default) is int else a for a in found]
    return found


def function_arguments(function: Callable[..., Any], shown: Callable[..., Any]) -> list[Argument]:
    """Return the arguments of ``function``, written in Python; where it takes anything, those of ``shown``."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    if not parameters or any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        parameters = list(inspect.signature(shown).parameters.values())
    return [_argument(parameter, function) for parameter in parameters if _matters(parameter)]


def schema_arguments(schema: Any, function: Callable[..., Any]) -> list[Argument]:
    """Return the arguments that ``schema``, of an operator of torch, declares."""
    return [_declared(given, function) for given in schema.arguments if given.name not in NEUTRAL]


def _named_parameters(made: type[nn.Module]) -> list[inspect.Parameter]:
    for holder in made.__mro__:
        if "__init__" not in vars(holder) or holder in (nn.Module, object):
            continue
        written = vars(holder)["__init__"]
        for init in (*typing.get_overloads(written), written):
            found = list(inspect.signature(init).parameters.values())[1:]
            if not any(p.kind is p.VAR_POSITIONAL for p in found):
                return [p for p in found if p.kind is not p.VAR_KEYWORD]
    return []


def _matters(parameter: inspect.Parameter) -> bool:
    return parameter.name not in NEUTRAL and parameter.name[:1] != "_" and parameter.name != "distance_function"


def _argument(parameter: inspect.Parameter, owner: Any) -> Argument:
    default = parameter.default
    given = default is not inspect.Parameter.empty and default is not None
    kinds, several, optional, choices = _read(parameter.annotation)
    first = default[0] if isinstance(default, tuple) and default else default
    if callable(default) and given:  # an activation, which may be named as well
        kinds = {"str"}
    elif not kinds and given:
        kinds = {type(first).__name__}
    untold = not kinds
    if untold:  # a size, as most are
        kinds = {"int"}
    kind = _preferred(kinds)
    if kind == "str":
        choices = choices or documented_words(parameter.name, owner)
    return Argument(parameter.name, kind, default, several or isinstance(default, tuple), optional, choices, untold)


def _read(annotation: Any) -> tuple[set[str], bool, bool, tuple[str, ...]]:
    """The names of the plain types in an annotation, whether it allows sequences and ``None``, and its literals."""
    if annotation is inspect.Parameter.empty:
        return set(), False, False, ()
    if isinstance(annotation, str):
        words = set(re.findall(r"\w+", annotation))
        several = bool(re.search(r"list|tuple|Sequence|size_\w+_t|_t\b", annotation, re.IGNORECASE))
        if several and "size" in annotation:
            words.add("int")
        return words, several, "None" in words or "Optional" in words, ()
    origin = get_origin(annotation)
    if origin is Literal:
        literals = tuple(v for v in get_args(annotation) if isinstance(v, str))
        return {"str"} if literals else {type(get_args(annotation)[0]).__name__}, False, False, literals
    if origin in (Union, types.UnionType):
        kinds, several, optional, choices = set[str](), False, False, tuple[str, ...]()
        for part in get_args(annotation):
            if part is type(None):
                optional = True
                continue
            more, is_several, _, literals = _read(part)
            kinds, several, choices = kinds | more, several or is_several, choices + literals
        return kinds, several, optional, choices
    if origin is not None:
        inside = set[str]().union(*(_read(part)[0] for part in get_args(annotation) if part is not ...), set())
        return inside, True, False, ()
    return {getattr(annotation, "__name__", str(annotation))}, annotation is torch.Size, False, ()


def _preferred(kinds: set[str]) -> Kind:
    if "Tensor" in kinds:
        return "tensor"
    if kinds & {"float", "number", "Number"}:
        return "float"
    for kind in ("bool", "int", "str"):
        if kind in kinds:
            return typing.cast(Kind, kind)
    return "int" if kinds & {"Size", "_size", "SymInt"} else "other"


def _declared(given: Any, function: Any) -> Argument:
    written = str(given.type)
    several, optional = "List[" in written, written.startswith("Optional[")
    kind = _preferred(set(re.findall(r"\w+", written)))
    default = given.default_value if given.has_default_value() else inspect.Parameter.empty
    choices = documented_words(given.name, function) if kind == "str" else ()
    return Argument(given.name, kind, default, several, optional, choices)


def documented_words(name: str, owner: Any) -> tuple[str, ...]:
    """Return the quoted words in what the documentation of ``owner`` says of the argument ``name``."""
    text = inspect.getdoc(owner) or ""
    told = re.search(rf"^\s*(?:\w+, )*{name}\b[^\n]*?[:(](.*?)(?=\n\s*\w+ \(|\n\s*\w+:|\n\n\S|\Z)", text, re.S | re.M)
    return tuple(dict.fromkeys(re.findall(r"[`'\"]{1,3}([a-z][\w-]*)[`'\"]{1,3}", told[1]))) if told else ()
