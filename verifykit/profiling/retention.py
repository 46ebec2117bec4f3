"""What holds on to memory from call to call, and the line that hands it over."""

import gc
import sys
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, FunctionType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._pytree import tree_leaves

from verifykit.profiling.state import holders
from verifykit.results import Location
from verifykit.targets import display_path
from verifykit.tracing import OperatorMode, is_torchs, user_line

Size = Callable[[], int]
_POINTER = 8
# Tuples and objects between a tensor and the container that grows; how many holders are looked at, about.
_LEVELS = 3
_MANY = 1000
_NO_HOLDERS = (FrameType, ModuleType, FunctionType, type)
_OURS = str(Path(__file__).parents[1])


def python_bytes(module: nn.Module) -> int:
    """Return about how many bytes the numbers, strings and the like take that ``module`` holds in its attributes, lists
    and dictionaries.
    """
    return sum(
        _POINTER + sys.getsizeof(item)
        for holder in holders(module)
        for item in (list(holder.values()) if isinstance(holder, dict) else list(holder))
        if isinstance(item, str | bytes | int | float | complex)
    )


@dataclass(frozen=True)
class Kept:
    """Where something is kept, and whether a tensor that is kept has a graph behind it."""

    location: Location | None = None
    has_graph: bool = False


def kept(module: nn.Module, call: Callable[[], Any]) -> Kept:
    """Return the line of the user's code that makes something grow from one ``call`` to the next: that which adds to
    it, or where that cannot be seen, as in a graph that is never freed, that which allocates what stays.
    """
    try:
        measures = _measures(module)
        before = [size() for size in measures]
        with _Made() as made:
            call()
        growing = [size for size, was in zip(measures, before, strict=True) if size() > was]
        call()
        has_graph = any(tensor.grad_fn is not None for tensor in made.alive())
        return Kept(_line_that_adds([*growing, *made.holders()], call) or made.line_of_most(), has_graph)
    except Exception:  # whatever a module does when it is looked at so closely, the bytes are known
        return Kept()


def _measures(module: nn.Module) -> list[Size]:
    """Return how to ask for the size of each container that ``module`` reaches and of what stands in each attribute."""
    found: list[Size] = []
    for holder in holders(module):
        found.append(holder.__len__)
        if isinstance(holder, dict):
            found += [lambda holder=holder, key=key: _size(holder.get(key)) for key in holder]  # type: ignore[misc]
    return found


def _size(value: Any) -> int:
    if isinstance(value, Tensor):
        return value.numel()
    return len(value) if isinstance(value, str | bytes | tuple | list | dict | set | deque) else 0


@dataclass(frozen=True)
class _Storage:
    reference: StorageWeakRef
    bytes: int
    location: Location | None


class _Made(OperatorMode):
    """Notes the tensors that are made, with the line that made each."""

    def __init__(self) -> None:
        super().__init__()
        self._storages: dict[int, _Storage] = {}
        self._tensors: list[weakref.ref[Tensor]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        there = {t.untyped_storage()._cdata for t in _strided((args, kwargs))}
        result = func(*args, **(kwargs or {}))
        location = user_line()
        for tensor in _strided(result):
            storage = tensor.untyped_storage()
            if storage._cdata not in there:
                reference = StorageWeakRef(storage)  # type: ignore[no-untyped-call]
                self._storages[storage._cdata] = _Storage(reference, storage.nbytes(), location)
            self._tensors.append(weakref.ref(tensor))
        return result

    def alive(self) -> list[Tensor]:
        return [tensor for reference in self._tensors if (tensor := reference()) is not None]

    def holders(self) -> list[Size]:
        """Return how to ask for the sizes of the containers that hold a tensor that is alive, themselves or in tuples,
        objects and further containers.
        """
        found: dict[int, Any] = {}
        level: list[Any] = self.alive()
        for _ in range(_LEVELS):
            if not level or len(found) > _MANY:
                break
            above = [one for one in gc.get_referrers(*level) if one is not level and id(one) not in found]
            level = [one for one in above if not isinstance(one, _NO_HOLDERS)]
            found.update({id(one): one for one in level})
        return [holder.__len__ for holder in found.values() if isinstance(holder, list | dict | set | deque)]

    def line_of_most(self) -> Location | None:
        """Return the line that allocated most of what is alive."""
        alive: dict[Location, int] = {}
        for storage in self._storages.values():
            if storage.location and not storage.reference.expired():  # type: ignore[no-untyped-call]
                alive[storage.location] = alive.get(storage.location, 0) + storage.bytes
        return max(alive, key=lambda location: alive[location], default=None)


def _strided(value: Any) -> Iterable[Tensor]:
    return (leaf for leaf in tree_leaves(value) if isinstance(leaf, Tensor) and leaf.layout is torch.strided)


def _line_that_adds(sizes: list[Size], call: Callable[[], Any]) -> Location | None:
    """Return the line after which one of ``sizes`` is larger for the first time, by a trace of the user's frames."""
    before = [size() for size in sizes]
    last: Location | None = None
    found: Location | None = None

    def look(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal last, found
        file = frame.f_code.co_filename
        if found or is_torchs(file) or file.startswith(_OURS):
            return None
        if last and any(size() > was for size, was in zip(sizes, before, strict=True)):
            found = last
        elif event == "line":
            last = Location(display_path(file), frame.f_lineno)
        return look

    outer = sys.gettrace()
    sys.settrace(look if sizes else outer)
    try:
        call()
    finally:
        sys.settrace(outer)
    return found
