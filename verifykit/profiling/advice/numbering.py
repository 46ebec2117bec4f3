"""Value numbering over the calls of one forward: which of them compute what was computed already, or a constant.

The method of compilers (Cocke and Schwartz, Programming Languages and Their Compilers, 1970; Click, PLDI 1995), on a
trace: two results have the same number where the same function made them from arguments of the same numbers. A tensor
changed in place is another value from then on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten

from verifykit.profiling.advice.calls import Call, version

_PLAIN = (bool, int, float, complex, str, bytes, type(None), torch.dtype, torch.device, torch.layout, type(Ellipsis))


@dataclass(frozen=True)
class Value:
    """What a tensor holds at one time; ``is_constant`` where neither inputs nor parameters decide it."""

    number: int
    is_constant: bool


@dataclass(frozen=True)
class Again:
    """A call that computes what ``first`` has computed."""

    first: Call
    call: Call


@dataclass
class Numbering:
    """``again`` are the calls that repeat an earlier one, ``constants`` those that depend on nothing that changes: on
    no tensor at all, or, where asked for, on buffers that the calls leave alone.
    """

    again: list[Again] = field(default_factory=list)
    constants: list[Call] = field(default_factory=list)
    _values: dict[tuple[int, int], Value] = field(default_factory=dict)
    _first: dict[Any, tuple[Call, tuple[Value, ...]]] = field(default_factory=dict)
    _overwritten: set[int] = field(default_factory=set)
    _count: int = 0

    @classmethod
    def of(cls, calls: Sequence[Call], *, by_buffers: bool = False) -> "Numbering":
        """Number what ``calls`` make."""
        numbering = cls()
        if by_buffers:
            numbering._take_buffers(calls)
        for call in calls:
            numbering._take(call)
        numbering.constants = [
            call
            for call in numbering.constants
            if not any(_storage(t) in numbering._overwritten for t in [*call.made, *_changed(call)])
        ]
        return numbering

    def value(self, tensor: Tensor, at: int) -> Value:
        """Return the value of ``tensor`` in its version ``at``: a new one where nothing is known of it."""
        return self._values.setdefault((id(tensor), at), self._new())

    def _take_buffers(self, calls: Sequence[Call]) -> None:
        changed = {_storage(t) for call in calls for t in _changed(call)}
        for call in calls:
            for tensor, at, is_buffer in zip(call.given, call.before, call.buffers, strict=True):
                if is_buffer and not tensor.requires_grad and _storage(tensor) not in changed:
                    self._values.setdefault((id(tensor), at), self._new(is_constant=True))

    def _take(self, call: Call) -> None:
        given = [self.value(t, at) for t, at in zip(call.given, call.before, strict=True)]
        is_random = any(torch.Tag.nondeterministic_seeded in operator.func.tags for operator in call.operators)
        is_constant = (_takes_shape_only(call) or all(value.is_constant for value in given)) and not is_random
        is_constant = is_constant and not any(t.requires_grad for t in call.made)
        changed = _changed(call)
        if not is_constant:
            self._overwritten |= {_storage(t) for t in changed}
        elif call.operators:
            self.constants.append(call)
        for tensor in changed:
            self._values[id(tensor), version(tensor)] = self._new(is_constant)
            for t, after in zip(call.given, call.after, strict=True):
                self._values[id(t), after] = self._values.get((id(t), after)) or self._new(is_constant)
        key = None if is_random or not call.operators else self._key(call, given)
        made = tuple(self._new(is_constant) for _ in call.made)
        if key is not None:
            first, values = self._first.setdefault(key, (call, made))
            if first is not call and len(values) == len(made) and _equal(first, call):
                self.again.append(Again(first, call))
                made = values
        for tensor, at, value in zip(call.made, call.versions, made, strict=True):
            if not any(tensor is t for t in call.given):
                self._values[id(tensor), at] = value

    def _key(self, call: Call, given: Sequence[Value]) -> Any:
        """What two calls that compute the same have in common; ``None`` where an argument cannot be compared."""
        numbers = iter(value.number for value in given)
        leaves, structure = tree_flatten((call.args, call.kwargs))
        if sum(isinstance(leaf, Tensor) for leaf in leaves) != len(given):
            return None
        parts = [("tensor", next(numbers)) if isinstance(leaf, Tensor) else _part(leaf) for leaf in leaves]
        if None in parts:
            return None
        return call.func, str(structure), tuple(parts), call.recorded_gradients

    def _new(self, is_constant: bool = False) -> Value:
        self._count += 1
        return Value(self._count, is_constant)


def _part(leaf: Any) -> Any:
    if isinstance(leaf, slice):
        parts = (_part(leaf.start), _part(leaf.stop), _part(leaf.step))
        return None if None in parts else ("slice", *parts)
    return (type(leaf), repr(leaf)) if isinstance(leaf, _PLAIN) else None


def _takes_shape_only(call: Call) -> bool:
    name = call.name.rpartition(".")[2].removesuffix("()")
    return name.endswith("_like") or name.startswith("new_")


def _changed(call: Call) -> list[Tensor]:
    return [t for t, one, other in zip(call.given, call.before, call.after, strict=True) if one != other]


def _equal(first: Call, call: Call) -> bool:
    """Whether both results are still as they were made, fresh, and hold the same numbers."""
    if not call.made or _changed(call) or _changed(first):
        return False
    for one, at, other, then in zip(first.made, first.versions, call.made, call.versions, strict=True):
        if version(one) != at or version(other) != then or one.shape != other.shape or one.dtype != other.dtype:
            return False
        if not torch.equal(one.detach().nan_to_num(), other.detach().nan_to_num()):
            return False
    return True


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage().data_ptr()) if tensor.layout is torch.strided else id(tensor)
