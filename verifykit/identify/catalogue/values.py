"""Numbers, strings and sizes that an audited module mentions: what the arguments of its equal are made of."""

import inspect
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from torch import Tensor, nn

from verifykit.identify.facts import Facts
from verifykit.spec.dims import evaluate
from verifykit.spec.domain import Below

# What says nothing about the operation, in any module.
_IGNORED = {"training", "call_super_init", "dump_patches"}


@dataclass(frozen=True)
class Values:
    """What a module mentions, the most telling first: its constructor arguments, then attributes, then constants in
    its code; ``named`` those that have a name. ``inner`` and ``outer`` are the sizes of its inputs and outputs, the
    leading one of each aside, ``held`` those of its state; ``classes`` the bounds of its integer inputs.
    """

    named: Mapping[str, tuple[Any, ...]]
    integers: tuple[int, ...]
    floats: tuple[float, ...]
    strings: tuple[str, ...]
    tuples: tuple[tuple[Any, ...], ...]
    inner: tuple[int, ...]
    outer: tuple[int, ...]
    held: tuple[int, ...]
    classes: tuple[int, ...]

    @property
    def numbers(self) -> tuple[float, ...]:
        """All of them, those written as floats first."""
        return tuple(dict.fromkeys((*self.floats, *map(float, self.integers))))


def values_of(facts: Facts) -> Values:
    """Return what the subject of ``facts`` mentions; found once."""
    return facts.subject.once("values mentioned", lambda: _mentioned(facts))


def _mentioned(facts: Facts) -> Values:
    found = [*_plain(facts.subject.spec.init.values()), *_attributes(facts.module), *_constants(facts)]
    spec = facts.subject.spec
    sizes = {**spec.bound, **spec.usual_sizes}
    bounds = [evaluate(i.domain.bound, sizes) for i in spec.inputs if isinstance(i.domain, Below)]
    return Values(
        named=_by_name(facts),
        integers=_unique(v for v in found if type(v) is int),
        floats=_unique(v for v in found if type(v) is float and v == v),
        strings=_unique(v for v in found if type(v) is str and len(v) < 40),
        tuples=_unique(v for v in found if type(v) is tuple),
        inner=_unique(size for tensor in facts.inputs for size in reversed(tensor.shape[1:] or tensor.shape)),
        outer=_unique(size for tensor in facts.outputs.values() for size in reversed(tensor.shape[1:] or tensor.shape)),
        held=_unique(size for tensor in facts.state.values() for size in tensor.shape),
        classes=_unique(bounds),
    )


def plain_name(name: str) -> str:
    """Return ``name`` without what differs between spellings of one argument: ``num_heads`` and ``n_heads``."""
    return re.sub(r"^(num|n|nb)_|_", "", name.lower())


def _by_name(facts: Facts) -> dict[str, tuple[Any, ...]]:
    """Constructor arguments, then attributes of the module and its parts, by their plain names."""
    found: dict[str, list[Any]] = {}
    held = (pair for part in facts.module.modules() for pair in vars(part).items() if pair[0] not in _IGNORED)
    for name, value in itertools.chain(facts.subject.spec.init.items(), held):
        value = tuple(value) if isinstance(value, list) else value
        if name[:1] != "_" and isinstance(value, bool | int | float | str | tuple):
            found.setdefault(plain_name(name), []).append(value)
    return {name: tuple(values[:4]) for name, values in found.items()}


def _unique(values: Any) -> tuple[Any, ...]:
    # 1, 1.0 and True are equal in Python; each of these lists has one type only.
    return tuple(dict.fromkeys(values))


def _plain(values: Any) -> Iterator[Any]:
    """The scalars among ``values`` and inside the sequences among them, and these sequences as tuples."""
    for value in values:
        if isinstance(value, bool | int | float | str):
            yield value
        elif isinstance(value, Tensor) and value.numel() == 1 and not value.is_complex() and not value.is_meta:
            yield value.item()
        elif isinstance(value, list | tuple) and 0 < len(value) <= 8:
            inside = tuple(item for item in value if isinstance(item, bool | int | float | str))
            if len(inside) == len(value):
                yield inside
            yield from inside


def _attributes(module: nn.Module) -> Iterator[Any]:
    for part in module.modules():
        yield from _plain(value for name, value in vars(part).items() if name not in _IGNORED and name[:1] != "_")
        yield from _plain(part.__dict__["_buffers"].values())


def _constants(facts: Facts) -> Iterator[Any]:
    """Constants in the code of the classes of its parts that are not torch's, and of what they call in their file."""
    target = facts.subject.target.obj
    makers: list[Any] = [type(part) for part in facts.module.modules()]
    if inspect.isfunction(target) or isinstance(target, type):
        makers.append(target)
    seen: set[CodeType] = set()
    for made in dict.fromkeys(makers):
        classes = made.__mro__ if isinstance(made, type) else (made,)
        for holder in classes:
            if getattr(holder, "__module__", "").partition(".")[0] in ("torch", "builtins", "verifykit"):
                continue
            members = vars(holder).values() if isinstance(holder, type) else (holder,)
            for member in members:
                function = inspect.unwrap(getattr(member, "__func__", getattr(member, "fget", member)))
                if isinstance(function, FunctionType):
                    yield from _plain((*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()))
                    yield from _in_code(function.__code__, function.__globals__, seen)
                elif isinstance(holder, type):
                    yield from _plain([member])


def _in_code(code: CodeType, names: dict[str, Any], seen: set[CodeType]) -> Iterator[Any]:
    if code in seen:
        return
    seen.add(code)
    documentation = code.co_consts[:1] if code.co_consts and isinstance(code.co_consts[0], str) else ()
    yield from _plain(value for value in code.co_consts if value not in documentation)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _in_code(constant, names, seen)
    for name in code.co_names:
        value = names.get(name)
        if isinstance(value, FunctionType) and value.__code__.co_filename == code.co_filename:
            yield from _in_code(value.__code__, value.__globals__, seen)
        else:
            yield from _plain([value])
