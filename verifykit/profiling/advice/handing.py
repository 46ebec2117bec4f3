"""Runs a forward in which some calls are not made, and something that is there already is handed on instead."""

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

Given = tuple[tuple[Any, ...], dict[str, Any]]
# What takes the place of the result of a call, from its arguments and the results so far of the calls by number.
Reply = Callable[[Given, Mapping[int, Any]], Any]


class Handing(TorchFunctionMode):
    """Answers the calls whose number in forward is in ``replies``, and makes all others. With no reply it does nothing
    and costs as much, which is what a run with replies is timed against.

    Raises:
        LookupError: a call with a reply is to another function than when it was recorded.
    """

    def __init__(self, replies: Mapping[int, tuple[Any, Reply]]) -> None:
        super().__init__()
        self.replies = replies
        self.results: dict[int, Any] = {}
        self.number = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        number, self.number = self.number, self.number + 1
        found = self.replies.get(number)
        if found is None:
            result = func(*args, **(kwargs or {}))
        else:
            expected, reply = found
            if func != expected:
                raise LookupError(f"call {number} was to {expected} and is now to {func}")
            result = reply((args, kwargs or {}), self.results)
        self.results[number] = result
        return result


class Noting(TorchFunctionMode):
    """Makes all calls, and notes the storages that those of ``numbers`` make anew, without keeping them alive."""

    def __init__(self, numbers: Container[int], made: list[StorageWeakRef]) -> None:
        super().__init__()
        self.numbers = numbers
        self.made = made
        self.number = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if self.number in self.numbers:
            given = {t.untyped_storage().data_ptr() for t in _strided((args, kwargs))}
            self.made += [
                StorageWeakRef(t.untyped_storage())  # type: ignore[no-untyped-call]
                for t in _strided(result)
                if t.untyped_storage().data_ptr() not in given
            ]
        self.number += 1
        return result


def _strided(value: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, Tensor) and leaf.layout is torch.strided]
