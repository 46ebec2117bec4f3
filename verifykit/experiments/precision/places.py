"""Follows which device tensors lie on: one that stayed behind is named where it was made and where it is met."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._pytree import tree_leaves, tree_map

from verifykit.results import Location
from verifykit.tracing import user_line

# What may have tensors on several devices: it moves one, reads a shape or a type, or wants its lengths on the host.
_PLACELESS = {"to", "type_as", "copy_", "expand_as", "view_as", "reshape_as", "size", "is_floating_point", "set_"}
_PLACELESS |= {"_pack_padded_sequence", "pack_padded_sequence", "_pad_packed_sequence", "pad_packed_sequence"}
_PLACELESS |= {"is_complex", "numel", "dim"}
# Recurrent layers take the sizes of a packed batch from the host.
_RECURRENT = {"lstm", "gru", "rnn_tanh", "rnn_relu"}
# What reads values on the host and refuses those that lie elsewhere.
_HOST = {"numpy", "__array__"}
_LEAVES = {"cpu", "numpy", "tolist", "item", "__array__"}


@dataclass(frozen=True)
class Meeting:
    """An operation ``step`` in which two devices met, and how and where the call made the tensor that stayed on the
    CPU, if it did; for ``numpy`` and ``array``, values were read on the host without being moved there.
    """

    step: str
    location: Location | None
    shape: tuple[int, ...]
    made_by: str
    made_at: Location | None


class Places(TorchFunctionMode):
    """Notes the first meeting of a tensor on the CPU with one on another device; the call goes on as if the former had
    been moved.

    With ``on_device`` everything is on the CPU in truth: these, and what is computed from them, count as elsewhere, as
    does what is made on a device asked for by name; what the call makes without saying where counts as on the CPU.
    """

    def __init__(self, on_device: Sequence[Tensor] | None = None) -> None:
        super().__init__()
        self.meeting: Meeting | None = None
        self._labels = None if on_device is None else {id(t): t for t in on_device}
        self._made: dict[int, tuple[Tensor, str, Location | None]] = {}

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = (resolve_name(func) or getattr(func, "__name__", "")).rpartition(".")[2]
        location = user_line()
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        away = [t for t in tensors if self._is_away(t)]
        behind = self._behind(name, tensors, args)
        if away and name in _HOST:
            self._note(name, away[0], location)
        if away and behind and name not in _PLACELESS and not name.endswith(("_like", "__get__")):
            self._note(name, behind[0], location)
            if self._labels is None:
                args, kwargs = tree_map(lambda leaf: _moved(leaf, behind, away[0].device), (args, kwargs))
        result = func(*args, **kwargs)
        if self._labels is not None and name in ("cpu", "to") and result is args[0] and _to_host(name, args):
            return result.clone()  # what was copied to the host, had it been elsewhere
        self._label(name, result, tensors, bool(away), (args, kwargs), location)
        return result

    def _is_away(self, tensor: Tensor) -> bool:
        return tensor.device.type != "cpu" if self._labels is None else id(tensor) in self._labels

    def _behind(self, name: str, tensors: list[Tensor], args: tuple[Any, ...]) -> list[Tensor]:
        """Those on the CPU; a single number, and an index, may lie there."""
        if self._labels is None:
            found = [t for t in tensors if t.device.type == "cpu" and t.ndim]
        else:
            found = [t for t in tensors if id(t) in self._made and t.ndim]
        if name in _RECURRENT:
            found = [t for t in found if t.is_floating_point()]
        if name in ("__getitem__", "__setitem__"):
            operands = (args[0], *args[2:])
            found = [t for t in found if any(t is operand for operand in operands)]
        return found

    def _note(self, name: str, tensor: Tensor, location: Location | None) -> None:
        if self.meeting is None:
            _, made_by, made_at = self._made.get(id(tensor), (tensor, "", None))
            self.meeting = Meeting(name.strip("_"), location, tuple(tensor.shape), made_by, made_at)

    def _label(
        self, name: str, result: Any, tensors: list[Tensor], away: bool, given: Any, location: Location | None
    ) -> None:
        made = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        moves = name == "to" and any(isinstance(leaf, torch.device | Tensor) for leaf in tree_leaves(given)[1:])
        placed = given[1].get("device") is not None or moves or name in ("type_as", "cuda")
        goes = (away and name not in _LEAVES) or placed
        origin = next((self._made[id(t)][1:] for t in tensors if id(t) in self._made), (name.strip("_"), location))
        known = not tensors or any(id(t) in self._made for t in tensors)
        for tensor in made:
            if goes:
                self._made.pop(id(tensor), None)
                if self._labels is not None:
                    self._labels[id(tensor)] = tensor
            elif known and not away and tensor.device.type == "cpu":
                self._made[id(tensor)] = (tensor, *origin)


def _to_host(name: str, args: tuple[Any, ...]) -> bool:
    return name == "cpu" or "cpu" in [leaf for leaf in args[1:] if isinstance(leaf, str)]


def _moved(leaf: Any, behind: list[Tensor], device: torch.device) -> Any:
    return leaf.to(device) if any(leaf is tensor for tensor in behind) else leaf
