"""What the code of a class says about its constructor arguments: words they are compared with, classes named alike."""

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn

from verifykit.spec.inference.names import role_of, sizes_for


def words(obj: Any) -> dict[str, list[str]]:
    """Return, for each argument that the code compares with words, or looks up in a table of words, those words."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(_tree(obj)):
        if isinstance(node, ast.Compare):
            for side in (node.left, *node.comparators):
                name = _name(side)
                if name is not None:
                    told = [word for other in (node.left, *node.comparators) for word in _strings(other)]
                    found.setdefault(name, []).extend(told)
        elif isinstance(node, ast.Subscript) and (name := _name(node.slice)) is not None:
            found.setdefault(name, []).extend(_keys(node.value, obj))
    return {name: list(dict.fromkeys(told)) for name, told in found.items() if told}


def constants(obj: Any, hints: Mapping[str, Any]) -> list[str]:
    """Return the arguments without a default of a function, or of an ``autograd.Function``, that are plain values: by
    their annotation; or because backward has ``None`` for them and they are called like a setting, not like a tensor.
    """
    forward = obj.forward if hasattr(obj, "forward") else obj
    try:
        parameters = [p for p in inspect.signature(forward).parameters.values() if p.name != "ctx"]
    except (TypeError, ValueError):
        return []
    ignored = _undifferentiated(obj)
    return [
        p.name
        for place, p in enumerate(parameters)
        if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
        if hints.get(p.name) in (int, float, bool, str)
        or (place in ignored and p.name not in hints and sizes_for(p.name) and role_of(p.name) in ("real", "weight"))
    ]


def _undifferentiated(obj: Any) -> set[int]:
    """The places at which every ``return`` of the backward has a literal ``None``."""
    if not hasattr(obj, "backward"):
        return set()
    returns = [node.value for node in ast.walk(_tree(obj.backward)) if isinstance(node, ast.Return)]
    tuples = [value.elts for value in returns if isinstance(value, ast.Tuple)]
    if not tuples or len(tuples) < len(returns):
        return set()
    nones = ({n for n, e in enumerate(t) if isinstance(e, ast.Constant) and e.value is None} for t in tuples)
    return set.intersection(*nones)


def fields(obj: Any, name: str) -> tuple[list[str], bool]:
    """Return what the code reads from an argument that holds a configuration, ``config.width`` or ``config["width"]``,
    and whether it reads it as a dictionary.
    """
    called = {id(node.func) for node in ast.walk(_tree(obj)) if isinstance(node, ast.Call)}
    attributes, keys = dict[str, None](), dict[str, None]()
    for node in ast.walk(_tree(obj)):
        match node:
            case ast.Attribute(value=inner, attr=attribute) if id(node) not in called and _name(inner) == name:
                attributes[attribute] = None
            case ast.Subscript(value=inner, slice=ast.Constant(value=str(key))) if _name(inner) == name:
                keys[key] = None
    return (list(keys), True) if keys else (list(attributes), False)


def axes(obj: Any) -> set[str]:
    """Return the arguments that the code passes on to functions as ``dim=`` or ``axis=``; modules take widths so."""
    calls = (node for node in ast.walk(_tree(obj)) if isinstance(node, ast.Call))
    keywords = (k for call in calls if ast.unparse(call.func).rpartition(".")[2].islower() for k in call.keywords)
    return {name for k in keywords if k.arg in ("dim", "axis") and (name := _name(k.value)) is not None}


def namesakes(obj: Any, name: str) -> list[type[nn.Module]]:
    """Return module classes beside ``obj``, in its module or package, that are called like the argument ``name``:
    ``slot_attention`` and ``SlotAttention``; ``loss`` and ``ContrastiveLoss``.
    """
    home = getattr(obj, "__module__", "")
    wanted = re.sub(r"_(layer|module|fn|net)$", "", name).replace("_", "").lower()
    if len(wanted) < 3:
        return []
    places = [sys.modules[place] for place in (home, home.rpartition(".")[0]) if place in sys.modules]
    beside = {
        value.__name__.lower(): value
        for place in reversed(places)
        for value in vars(place).values()
        if isinstance(value, type) and issubclass(value, nn.Module) and value is not obj
        if value.__module__.partition(".")[0] == home.partition(".")[0] and value.forward is not nn.Module.forward
    }
    exact = [value for called, value in beside.items() if called == wanted]
    return exact or sorted((v for called, v in beside.items() if called.endswith(wanted)), key=lambda v: v.__name__)[:4]


def _tree(obj: Any) -> ast.AST:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(obj)))
    except (OSError, TypeError, SyntaxError):
        return ast.Module([], [])


def _name(node: ast.expr) -> str | None:
    """The argument that ``mode`` or ``self.mode`` stands for; ``mode.lower()`` too."""
    match node:
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name
        case ast.Call(func=ast.Attribute(value=inner, attr="lower" | "upper" | "strip")):
            return _name(inner)
    return None


def _strings(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(word)):
            yield word
        case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
            for item in items:
                yield from _strings(item)
        case ast.Dict(keys=keys):
            for key in keys:
                if key is not None:
                    yield from _strings(key)


def _keys(table: ast.expr, obj: Any) -> Iterator[str]:
    """The words of a table: written out, or found by its name in the module of the class or in the class."""
    yield from _strings(table)
    name = _name(table)
    module = sys.modules.get(getattr(obj, "__module__", ""))
    value = getattr(module, name, getattr(obj, name, None)) if name else None
    if isinstance(value, dict):
        yield from (key for key in value if isinstance(key, str))
