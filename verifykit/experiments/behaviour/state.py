"""What a module keeps between calls, which tensors a call writes to, and the line that does it."""

import inspect
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import numpy
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from verifykit.results import Location
from verifykit.targets import display_path
from verifykit.tracing import OperatorMode, user_line

_BOOKKEEPING = frozenset(vars(nn.Module()))
_MOST_LEAVES = 5_000
_DEEPEST = 4
_OURS, _TORCH = str(Path(__file__).parent.parent), str(Path(torch.__file__).parent)
_NUMPY = str(Path(numpy.__file__).parent)
_STANDARD = str(Path(inspect.__file__).parent)


@dataclass(frozen=True)
class Snapshot:
    """What a module keeps beside parameters and buffers: the values at each path, and how long its containers are."""

    values: Mapping[str, Any]
    lengths: Mapping[str, int]

    def changed(self, later: "Snapshot") -> list[str]:
        """The paths whose value is another in ``later``, or is there alone."""
        return [
            path
            for path, value in later.values.items()
            if path not in self.values or not same_value(self.values[path], value)
        ]

    def grown(self, later: "Snapshot") -> dict[str, int]:
        """By how much each container that both have is longer in ``later``."""
        return {
            path: length - self.lengths[path]
            for path, length in later.lengths.items()
            if length > self.lengths.get(path, length)
        }


@dataclass(frozen=True)
class Write:
    """An operator that wrote to a tensor: the key of its storage, and the user's line."""

    storage: int
    operator: str
    location: Location | None


@dataclass
class Writes(OperatorMode):
    """While it is active, notes every operator that writes in place. ``born`` holds the storages made meanwhile."""

    found: list[Write] = field(default_factory=list)
    born: dict[int, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        schema = func._schema
        if schema.is_mutable:
            given = dict(zip((a.name for a in schema.arguments), args, strict=False)) | kwargs
            written = [given.get(a.name) for a in schema.arguments if a.alias_info and a.alias_info.is_write]
            location = user_line()
            for tensor in tree_leaves(written):
                key = storage_key(tensor)
                if key is not None:
                    self.found.append(Write(key, str(func), location))
        result = func(*args, **kwargs)
        for tensor in tree_leaves(result):
            key = storage_key(tensor)
            if key is not None and not schema.is_mutable:
                self.born.setdefault(key, tensor)  # held, so that its key is not given to another
        return result


def storage_key(value: Any) -> int | None:
    """Return what identifies the storage of a tensor while that lives, ``None`` where it has none."""
    if not isinstance(value, Tensor):
        return None
    try:
        return int(value.untyped_storage()._cdata)
    except (NotImplementedError, RuntimeError):  # sparse tensors and the like
        return None


def same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors agree in shape, dtype and every value, NaN being equal to NaN."""
    if one.shape != other.shape or one.dtype != other.dtype or one.layout != other.layout:
        return False
    if torch.equal(one, other):
        return True
    if not (one.is_floating_point() or one.is_complex()) or one.layout != torch.strided:
        return False
    return bool(((one == other) | (one.isnan() & other.isnan())).all())


def same_value(one: Any, other: Any) -> bool:
    """Whether two leaves of a snapshot agree."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return same(one, other)
    return type(one) is type(other) and (one is other or bool(one == other or (one != one and other != other)))


def kept_by(module: nn.Module) -> Snapshot:
    """Return copies of the plain attributes of ``module`` and its parts, and of what their classes and source files
    hold in containers or tensors; torch's own aside.
    """
    values: dict[str, Any] = {}
    lengths: dict[str, int] = {}
    seen = {id(module)}
    for name, part in module.named_modules():
        for key, value in vars(part).items():
            if key not in _BOOKKEEPING:
                _walk(f"{name}.{key}".lstrip("."), value, values, lengths, seen, _DEEPEST)
    for path, value in _shared_by_calls(module):
        _walk(path, value, values, lengths, seen, _DEEPEST)
    return Snapshot(values, lengths)


def tensors_kept(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors, uncopied, in buffers and plain attributes of ``module`` and its parts, by path."""
    yield from module.named_buffers()
    for name, part in module.named_modules():
        for key, value in vars(part).items():
            if key not in _BOOKKEEPING:
                for position, leaf in enumerate(tree_leaves(value)):
                    if isinstance(leaf, Tensor):
                        path = f"{name}.{key}".lstrip(".")
                        yield (path if leaf is value else f"{path}[{position}]"), leaf


def line_of_change(run: Callable[[], Any], probe: Callable[[], Any]) -> Location | None:
    """Run ``run`` and return the user's line after which ``probe()`` first gives another value; ``None`` where there is
    none. Whatever ``run`` raises ends it.
    """
    before, blamed, last = probe(), list[Location](), list[tuple[str, int]]()

    def follow(frame: FrameType, event: str, argument: Any) -> Any:
        file = frame.f_code.co_filename
        if file.startswith((_OURS, _TORCH, _NUMPY, "<")) or (
            file.startswith(_STANDARD) and not file.startswith(str(Path(_TORCH).parent))
        ):
            return None
        if last and not blamed and not same_value(before, probe()):
            blamed.append(Location(display_path(last[0][0]), last[0][1]))
        last[:] = [(file, frame.f_lineno)]
        return follow

    previous = sys.gettrace()
    sys.settrace(follow)
    try:
        run()
    except Exception:
        return blamed[0] if blamed else None
    finally:
        sys.settrace(previous)
    if not blamed and last and not same_value(before, probe()):
        return Location(display_path(last[0][0]), last[0][1])
    return blamed[0] if blamed else None


def _shared_by_calls(module: nn.Module) -> Iterator[tuple[str, Any]]:
    """What outlives an instance: attributes of the user's classes, globals of the files that define them."""
    kinds = dict.fromkeys(kind for part in module.modules() for kind in type(part).__mro__)
    function = getattr(module, "function", None)
    files = dict.fromkeys(kind.__module__ for kind in kinds)
    if getattr(function, "__module__", None):
        files[function.__module__] = None
    for kind in kinds:
        if not _is_ours_or_torchs(kind.__module__):
            for key, value in vars(kind).items():
                if _may_grow(key, value):
                    yield f"{kind.__name__}.{key}", value
    for name in files:
        if not _is_ours_or_torchs(name) and name in sys.modules:
            for key, value in vars(sys.modules[name]).items():
                if _may_grow(key, value):
                    yield f"{name.rpartition('.')[2]}.{key}", value


def _is_ours_or_torchs(module_name: str) -> bool:
    return module_name.partition(".")[0] in ("torch", "verifykit", "builtins", "typing", "abc")


def _may_grow(key: str, value: Any) -> bool:
    return not key.startswith("__") and isinstance(value, list | dict | set | deque | Tensor)


def _walk(path: str, value: Any, values: dict[str, Any], lengths: dict[str, int], seen: set[int], deeper: int) -> None:
    if len(values) > _MOST_LEAVES or isinstance(value, nn.Module | type):
        return
    if isinstance(value, Tensor):
        values[path] = value.detach().clone() if value.numel() <= 1_000_000 else value._version
        return
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        values[path] = value
        return
    if deeper == 0 or id(value) in seen:
        return
    children: list[tuple[str, Any]] = []
    if isinstance(value, Mapping):
        lengths[path] = len(value)
        children = [(f"{path}[{key!r}]", child) for key, child in list(value.items())[:_MOST_LEAVES]]
    elif isinstance(value, list | tuple | deque | set | frozenset):
        lengths[path] = len(value)
        if not isinstance(value, set | frozenset):
            children = [(f"{path}[{at}]", child) for at, child in enumerate(list(value)[:_MOST_LEAVES])]
    elif hasattr(value, "__dict__") and not callable(value) and not inspect.ismodule(value):
        children = [(f"{path}.{key}", child) for key, child in vars(value).items()]
    seen.add(id(value))
    for name, child in children:
        _walk(name, child, values, lengths, seen, deeper - 1)
