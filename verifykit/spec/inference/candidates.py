"""Values to try for a constructor argument: from its annotation, its docstring, its name, and anything."""

import dataclasses
import enum
import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, Union, get_args, get_origin

import torch
from torch import nn

from verifykit.spec.inference.names import sizes_for
from verifykit.spec.inference.source import axes, fields, namesakes
from verifykit.spec.inference.source import words as source_words

# Tried where nothing says more, and where what was said does not work.
ANYTHING: tuple[Any, ...] = (4, 0.5, 8, 2, 1, 3, True, (3, 3), [4, 8], "relu", 16)


def candidates(
    name: str, annotation: Any, depth: int, words: Sequence[str] = (), owner: Any = None
) -> list[tuple[Any, str]]:
    """Return values to try for an argument of ``owner``, each with its source; ``words`` are those that its code
    compares the argument with.
    """
    by_name = [(value, "name") for value in sizes_for(name)]
    by_annotation = [(value, "annotation") for value in _of_annotation(name, annotation, depth)]
    by_document = re.findall(r"'(\w+)'", annotation) if isinstance(annotation, str) else []
    anything = [(value, "search") for value in _stand_ins(name)] if not by_annotation else []
    kinds = _kinds(annotation)
    if kinds:
        by_name = [(value, source) for value, source in by_name if type(value) in kinds] + (
            [(float(v), s) for v, s in by_name if type(v) is int] if float in kinds else []
        )
        anything = []
    closed = bool(by_annotation) and _is_closed(annotation)
    if closed:
        by_name = []
    by_source: list[tuple[Any, str]] = [(word, "source") for word in words if not closed]
    if not kinds and not by_annotation:
        by_source += [(made, "source") for made in _configurations(owner, name, depth)]
    if name in axes(owner):
        by_source += [(-1, "source"), (1, "source")]
    if not kinds and not by_annotation and not by_name and depth < 2:
        by_source += [(made, "source") for kind in namesakes(owner, name) if (made := _built(kind, depth)) is not None]
        one = name.removesuffix("s").removesuffix("se") + ("s" if name.endswith("sses") else "")
        if one != name and (several := [_built(kind, depth) for kind in namesakes(owner, one)]):
            by_source.append(([made for made in several if made is not None][:2], "source"))
    ordered = [*((v, "docstring") for v in by_document), *by_source, *by_name, *by_annotation, *anything]
    rest = [(value, "search") for value in ANYTHING if not kinds or type(value) in kinds]
    unique: list[tuple[Any, str]] = []
    for value, source in [*ordered, *rest]:
        if not any(type(value) is type(other) and _same(value, other) for other, _ in unique):
            unique.append((value, source))
    return unique


def _configurations(owner: Any, name: str, depth: int) -> Iterator[Any]:
    """Stand-ins for a configuration: an object, or a dictionary, with what the code of ``owner`` reads from it."""
    read, by_key = fields(owner, name)
    told = source_words(owner)
    choices = {field: [v for v, _ in candidates(field, None, depth + 1, told.get(field, ()))] for field in read}
    for step in range(3 if choices else 0):
        values = {field: options[min(step, len(options) - 1)] for field, options in choices.items()}
        yield values if by_key else types.SimpleNamespace(**values)


def _is_closed(annotation: Any) -> bool:
    """Whether it names all the values that there are, or the class that they are of."""
    if get_origin(annotation) in (Union, types.UnionType):
        return all(_is_closed(part) for part in get_args(annotation))
    is_class = isinstance(annotation, type) and annotation.__module__ != "builtins"
    return annotation is type(None) or get_origin(annotation) is Literal or is_class


def _same(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, bool | int | float | str | list | tuple) and repr(one) == repr(other))


def _kinds(annotation: Any) -> set[type]:
    """Plain types that an annotation restricts the value to; empty where it does not."""
    if isinstance(annotation, str):
        named = {"int": int, "float": float, "bool": bool, "str": str, "integer": int, "boolean": bool, "string": str}
        return (
            {kind for word, kind in named.items() if re.search(rf"\b{word}\b", annotation)}
            if len(annotation) < 40
            else set()
        )
    if annotation in (int, float, bool, str):
        return {annotation}
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        inner = [_kinds(part) for part in get_args(annotation) if part is not type(None)]
        return set().union(*inner) if all(inner) else set()
    if origin in (list, tuple):
        return {origin}
    return set()


def _of_annotation(name: str, annotation: Any, depth: int) -> Iterator[Any]:
    origin, parts = get_origin(annotation), get_args(annotation)
    if annotation is bool:
        yield from (True, False)
    elif annotation is int:
        yield from (4, 8, 2, 3, 1)
    elif annotation is float:
        yield from (0.5, 1.0, 2.0)
    elif origin is Literal:
        yield from parts
    elif origin in (Union, types.UnionType):
        for part in parts:
            if part is not type(None):
                yield from (value for value, _ in candidates(name, part, depth))
        if type(None) in parts:
            yield None
    elif origin in (tuple, list) or origin in (Sequence, typing.Sequence):
        yield from _sequences(origin, parts)
    elif origin is type or annotation is type:
        yield from (nn.ReLU, nn.LayerNorm, nn.Linear)
    elif origin is Callable or annotation in (Callable, typing.Callable):
        yield from (torch.relu, nn.ReLU, nn.LayerNorm)
    elif annotation is torch.dtype:
        yield torch.float32
    elif annotation is torch.device:
        yield torch.device("cpu")
    elif annotation is torch.Tensor:
        yield from (torch.linspace(0.5, 1.5, 4), torch.eye(4))
    elif isinstance(annotation, type):
        yield from _of_class(name, annotation, depth)


def _sequences(origin: Any, parts: tuple[Any, ...]) -> Iterator[Any]:
    inner = parts[0] if parts else int
    example: tuple[Any, ...] = {float: (0.5, 1.0), str: ("relu", "relu"), bool: (True, False)}.get(inner, (4, 8))
    if inner not in (int, float, str, bool) and isinstance(inner, type) and issubclass(inner, nn.Module):
        example = (nn.ReLU(), nn.Identity())
    if inner is torch.Tensor:
        example = (torch.linspace(0, 1, 4), torch.linspace(-1, 1, 5))
    make = tuple if origin is tuple else list
    if origin is tuple and parts and Ellipsis not in parts:
        yield tuple((3, 3, 3, 3)[: len(parts)]) if inner is int else example[: len(parts)]
        return
    yield make(example)
    yield make(example[:1])
    yield make([*example, example[-1]])


def _of_class(name: str, kind: type, depth: int) -> Iterator[Any]:
    if issubclass(kind, enum.Enum):
        yield from kind
    elif issubclass(kind, nn.Module):
        if kind is not nn.Module and depth < 3 and (built := _built(kind, depth)):
            yield built
        yield from _stand_ins(name) or _modules(name)
    elif dataclasses.is_dataclass(kind) and depth < 3:
        hints = type_hints(kind)
        needed = [
            f
            for f in dataclasses.fields(kind)
            if f.init and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        ]
        chosen = {f.name: candidates(f.name, hints.get(f.name), depth + 1) for f in needed}
        if all(chosen.values()):
            yield kind(**{name: values[0][0] for name, values in chosen.items()})
    elif kind.__module__.partition(".")[0] not in {*sys.stdlib_module_names, "torch", "numpy"} and depth < 3:
        yield from (made for made in [_built(kind, depth)] if made is not None)


def _built(kind: type, depth: int) -> Any:
    """An object of this class, made of the first candidate for each argument that it requires."""
    hints = type_hints(kind)
    try:
        variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        parameters = inspect.signature(kind).parameters.values()
        required = [p for p in parameters if p.default is p.empty and p.kind not in variable]
        chosen = {p.name: candidates(p.name, hints.get(p.name), depth + 1, (), kind)[0][0] for p in required}
        return kind(**chosen)
    except Exception:
        return None


def _stand_ins(name: str) -> Sequence[Any]:
    """Live objects for an argument whose name asks for one."""
    if re.search(r"act(ivation)?|nonlin", name):
        return (nn.ReLU(), "relu", torch.relu, nn.ReLU)
    if re.search(r"norm(_layer)?$", name):
        return (nn.LayerNorm, nn.BatchNorm2d, "layer", nn.Identity())
    if re.search(r"decoder_?layer", name):
        return (nn.TransformerDecoderLayer(8, 2, 16),)
    if re.search(r"encoder_?layer", name):
        return (nn.TransformerEncoderLayer(8, 2, 16),)
    if re.search(
        r"module|layer|block|net(work)?$|model|fn$|func(tion)?$|encoder|decoder|backbone|body|head|base", name
    ):
        return _modules(name)
    if re.search(r"loss|criterion", name):
        return (nn.MSELoss(), nn.CrossEntropyLoss())
    return ()


def _modules(name: str) -> Sequence[Any]:
    return (nn.ReLU(), nn.Linear(6, 6), nn.Conv2d(6, 6, 3, padding=1), nn.TransformerEncoderLayer(8, 2, 16))


def type_hints(obj: Any) -> dict[str, Any]:
    function = vars(obj).get("__init__", getattr(obj, "__init__", None)) if isinstance(obj, type) else obj
    try:
        return typing.get_type_hints(function)
    except Exception:
        return {
            name: hint for name, hint in getattr(function, "__annotations__", {}).items() if not isinstance(hint, str)
        }


def documented_types(obj: Any) -> dict[str, str]:
    """Types that the docstring gives in ``name (int): ...`` or ``name : int``."""
    text = "\n".join(filter(None, (inspect.getdoc(obj), inspect.getdoc(getattr(obj, "__init__", None)))))
    found = re.findall(r"^\s*[`*]*(\w+)[`*]*\s*(?:\(([^)\n]{1,60})\)|:\s*([^\n]{1,60}))", text, re.MULTILINE)
    return {name: inside or after for name, inside, after in found}
