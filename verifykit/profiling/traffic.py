"""The bytes that a call must move at least, whatever its code does in between."""

from collections.abc import Callable, Iterable, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor

aten = torch.ops.aten

_Lookup = tuple[int, Tensor] | None


def _rows(_table: Tensor, indices: Tensor, *_: Any) -> _Lookup:
    return 0, indices


def _slices(_table: Tensor, dim: int, indices: Tensor) -> _Lookup:
    return dim, indices


def _indexed(_table: Tensor, indices: Sequence[Tensor | None]) -> _Lookup:
    given = [(dim, index) for dim, index in enumerate(indices) if index is not None]
    return given[0] if len(given) == 1 and given[0][1].dtype in (torch.int64, torch.int32) else None


# Operators that read slices of their first argument: along which dimension, and which.
_LOOKUPS: dict[Any, Callable[..., _Lookup]] = {
    aten.embedding: _rows,
    aten._embedding_bag: _rows,
    aten._embedding_bag_forward_only: _rows,
    aten.index_select: _slices,
    aten.index: _indexed,
}


class Traffic:
    """What the operators of a call read of ``leaves``: inputs, parameters, buffers."""

    def __init__(self, leaves: Iterable[Tensor]) -> None:
        self._leaves = {address: t for t in leaves if (address := _address(t)) is not None}
        self._viewed: set[int] = set()
        # By storage: bytes of each part of it, by offset, shape and strides; and by length and bytes of a slice, which.
        self._parts: dict[int, dict[Any, int]] = {}
        self._slices: dict[int, dict[tuple[int, int], list[Tensor]]] = {}

    def note(self, operator: Any, args: Sequence[Any], tensors: Iterable[Tensor]) -> None:
        """Take note that ``operator`` was called with ``args``, which hold ``tensors``."""
        lookup = _LOOKUPS.get(operator._overloadpacket)
        looked_up = lookup(*args) if lookup is not None else None
        for tensor in tensors:
            address = _address(tensor)
            if address is None or address not in self._leaves:
                continue
            if looked_up is not None and tensor is args[0]:
                dim, indices = looked_up
                length = tensor.shape[dim]
                size = _bytes(tensor) // max(length, 1)
                self._slices.setdefault(address, {}).setdefault((length, size), []).append(indices.flatten())
            elif operator.is_view:
                self._viewed.add(address)
            else:
                self._add(address, tensor)

    def least_bytes(self, outputs: Iterable[Tensor]) -> int:
        """Return the bytes of what was read and of ``outputs``: what several share is counted once, what nothing looks
        at not at all, and of tables only the rows that were looked up.
        """
        sizes = {address: _storage_bytes(t) for address, t in self._leaves.items()}
        for address in self._viewed - self._parts.keys() - self._slices.keys():
            self._add(address, self._leaves[address])  # by code that is not torch's, as far as one knows
        without_storage = 0
        for output in outputs:
            if (place := _address(output)) is None:
                without_storage += _bytes(output)
            else:
                sizes[place] = _storage_bytes(output)
                self._add(place, output)
        read = {
            address: self._looked_up_bytes(address) + sum(self._parts.get(address, {}).values()) for address in sizes
        }
        return without_storage + sum(min(read[address], size) for address, size in sizes.items())

    def _add(self, address: int, tensor: Tensor) -> None:
        part = (tensor.storage_offset(), tensor.shape, tensor.stride())
        self._parts.setdefault(address, {})[part] = _bytes(tensor)

    def _looked_up_bytes(self, address: int) -> int:
        return sum(
            size * int(torch.bincount(torch.cat(indices) % length).count_nonzero())
            for (length, size), indices in self._slices.get(address, {}).items()
        )


def _bytes(tensor: Tensor) -> int:
    """Of the elements that it has in memory: those of a dimension without a stride are one."""
    if tensor.layout is not torch.strided:
        return tensor.element_size() * tensor.numel()
    lengths = [length for length, stride in zip(tensor.shape, tensor.stride(), strict=True) if stride or not length]
    return tensor.element_size() * prod(lengths)


def _storage_bytes(tensor: Tensor) -> int:
    return int(tensor.untyped_storage().nbytes())


def _address(tensor: Tensor) -> int | None:
    """Where its storage lies; ``None`` where it has none, as sparse ones."""
    try:
        return tensor.untyped_storage().data_ptr()
    except (RuntimeError, NotImplementedError):
        return None
