"""What a module holds beside its parameters, buffers and submodules: tensors in attributes, containers, closures,
classes and globals, which neither ``state_dict`` nor ``to`` nor an optimiser knows.
"""

import ast
import functools
import inspect
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import torch
from torch import Tensor, nn

from verifykit.results import Location
from verifykit.targets import display_path

_TORCH = str(Path(torch.__file__).parent)
# What every module has, whatever its author wrote: registries and hooks.
_BOOKKEEPING = frozenset(vars(nn.Module()))
_DEEPEST = 5
_MOST = 1000


@dataclass(frozen=True)
class Held:
    """A tensor that is not registered. ``root`` is the attribute, or the name, through which ``path`` leads to it;
    ``how`` says what that is; ``module`` is the unregistered module that it belongs to, if any.
    """

    root: str
    path: str
    tensor: Tensor
    how: str
    where: Callable[[], Location | None]
    module: nn.Module | None = None

    @property
    def location(self) -> Location | None:
        """The line at which it is assigned, looked up in the source."""
        return self.where()


@dataclass(frozen=True)
class _Root:
    name: str
    how: str
    where: Callable[[], Location | None]


def storage_of(tensor: Tensor) -> int:
    """Return what identifies the memory of ``tensor`` as long as it lives: views of one tensor share it."""
    try:
        return int(tensor.untyped_storage()._cdata)
    except (RuntimeError, NotImplementedError):  # sparse, and other layouts without one storage
        return id(tensor)


def registered_storages(module: nn.Module) -> set[int]:
    """Return the storages of all parameters and buffers."""
    return {storage_of(tensor) for tensor in (*module.parameters(), *module.buffers())}


def held_tensors(module: nn.Module) -> list[Held]:
    """Return the tensors that ``module`` and its parts can reach and that are not registered, each once."""
    known, found, seen = registered_storages(module), list[Held](), set[int]()
    inside = {id(part) for part in module.modules()}
    for prefix, part in module.named_modules():
        for root, value in _roots(prefix, part):
            for path, tensor, owner in _walk(value, root.name, inside, 0, seen):
                if storage_of(tensor) not in known:
                    found.append(Held(root.name, path, tensor, root.how, root.where, owner))
    return found


def own_attributes(part: nn.Module) -> dict[str, Any]:
    """Return the attributes that the author of ``part`` set, other than parameters, buffers and submodules."""
    return {name: value for name, value in vars(part).items() if name not in _BOOKKEEPING}


def where_assigned(part: nn.Module, name: str) -> Location | None:
    """Return the line at which ``self.NAME`` is first assigned, or ``NAME`` in the class body, in the user's source."""
    for owner in _users_classes(type(part)):
        try:
            lines, start = inspect.getsourcelines(owner)
            file = inspect.getsourcefile(owner)
            tree = ast.parse(dedent("".join(lines)))
        except (OSError, TypeError, SyntaxError):
            continue
        nodes = [node for node in ast.walk(tree) if isinstance(node, ast.stmt | ast.expr)]
        hits = [node.lineno for node in nodes if any(_names(target, name) for target in _targets(node))]
        if hits and file:
            return Location(display_path(file), start + min(hits) - 1)
    return None


def _targets(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from target.elts if isinstance(target, ast.Tuple) else [target]
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
        yield node.target
    elif isinstance(node, ast.Call):
        called = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if called in ("setattr", "__setattr__"):
            yield from node.args[1:2]
        elif called in ("register_buffer", "register_parameter", "add_module", "register_module"):
            yield from node.args[:1]


def _names(target: ast.AST, name: str) -> bool:
    return (
        (isinstance(target, ast.Attribute) and target.attr == name)
        or (isinstance(target, ast.Name) and target.id == name)
        or (isinstance(target, ast.Constant) and target.value == name)
    )


def _users_classes(kind: type) -> Iterator[type]:
    for owner in kind.__mro__:
        if owner is nn.Module:
            return
        if not owner.__module__.startswith("torch."):
            yield owner


def _roots(prefix: str, part: nn.Module) -> Iterator[tuple[_Root, Any]]:
    dotted = f"{prefix}." if prefix else ""
    for name, value in own_attributes(part).items():
        how = f"a plain {type(value).__name__}" if isinstance(value, list | tuple | dict | set) else "a plain attribute"
        yield _Root(f"self.{dotted}{name}", how, functools.partial(where_assigned, part, name)), value
    for owner in _users_classes(type(part)):
        for name, value in list(vars(owner).items()):
            if isinstance(value, types.FunctionType):
                yield from _function_roots(value)
            elif not name.startswith("__"):
                where = functools.partial(where_assigned, part, name)
                yield _Root(f"{owner.__name__}.{name}", "a class attribute", where), value


def _function_roots(function: types.FunctionType) -> Iterator[tuple[_Root, Any]]:
    code = function.__code__
    here = Location(display_path(code.co_filename), code.co_firstlineno)
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        if name != "__class__":
            yield _Root(name, "a variable of a closure", lambda: here), _contents(cell)
    for name in code.co_names:
        value = function.__globals__.get(name)
        if isinstance(value, Tensor | nn.Module | list | dict | tuple):
            yield _Root(name, "a global variable", lambda: here), value


def _contents(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _walk(
    value: Any, path: str, inside: set[int], depth: int, seen: set[int]
) -> Iterator[tuple[str, Tensor, nn.Module | None]]:
    """Yield path, tensor, and the module whose parameter or buffer it is; each object is entered once."""
    if id(value) in seen or id(value) in inside or depth > _DEEPEST:
        return
    if isinstance(value, Tensor):
        seen.add(id(value))
        yield path, value, None
    elif isinstance(value, nn.Module):
        seen.add(id(value))
        for name, tensor in (*value.named_parameters(), *value.named_buffers()):
            if id(tensor) not in seen:
                seen.add(id(tensor))
                yield f"{path}.{name}", tensor, value
        for name, part in value.named_modules():
            for attribute, item in own_attributes(part).items():
                dotted = ".".join(filter(None, (path, name, attribute)))
                yield from _walk(item, dotted, inside, depth + 1, seen)
    else:
        children = list(_children(value, path))
        if children:
            seen.add(id(value))
        for name, child in children:
            yield from _walk(child, name, inside, depth + 1, seen)


def _children(value: Any, path: str) -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(f"{path}[{key!r}]", item) for key, item in list(value.items())[:_MOST]]
    if isinstance(value, list | tuple | set | frozenset):
        return [(f"{path}[{index}]", item) for index, item in enumerate(list(value)[:_MOST])]
    if isinstance(value, functools.partial):
        return [(f"{path}'s arguments", [*value.args, *value.keywords.values()]), (path, value.func)]
    if isinstance(value, types.MethodType):
        return [(f"{path}.__self__", value.__self__)]
    if isinstance(value, types.FunctionType):
        cells = zip(value.__code__.co_freevars, value.__closure__ or (), strict=True)
        return [(f"{path}'s {name}", _contents(cell)) for name, cell in cells]
    if isinstance(value, type | types.ModuleType) or type(value).__module__.partition(".")[0] in ("builtins", "torch"):
        return []
    return [(f"{path}.{name}", item) for name, item in list(getattr(value, "__dict__", {}).items())[:_MOST]]
