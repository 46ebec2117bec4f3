"""What one argument may be given: values that the audited module mentions, sizes of its tensors, and a small grid."""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from verifykit.identify.catalogue.derived import derived_integers
from verifykit.identify.catalogue.signatures import Argument
from verifykit.identify.catalogue.values import Values, plain_name, values_of
from verifykit.identify.facts import Facts
from verifykit.spec.inference.names import sizes_for

# More values than these are not tried for one argument.
MOST = 10

# Beyond this an integer is a length or an index, which nothing is to be padded or repeated by.
SMALL = 64

# Where a number stands for as many of it as there are dimensions.
_PER_DIMENSION = {"kernel_size", "stride", "padding", "dilation", "output_padding"}

_EPS = (1e-5, 1e-6, 1e-8, 1e-12, 1e-3, 1e-7)

# Documentation of a loss may leave some of these out.
_REDUCTIONS = ("mean", "sum", "none", "batchmean")

_Rule = Callable[[Argument, Facts, Values], Iterator[Any]]


def pool(argument: Argument, facts: Facts) -> list[Any]:
    """Return what ``argument`` may be given other than its default, the likeliest first; at most ``MOST`` values."""
    values = values_of(facts)
    if argument.is_rate and not facts.random:
        return [0.0] if argument.default != 0.0 else []
    if argument.kind == "bool":
        found: Iterator[Any] = iter((True, False))
    elif argument.kind == "str":
        found = _words(argument, values)
    elif argument.kind == "tensor":
        found = _tensors(facts, values)
    elif argument.kind == "float":
        found = _numbers(argument, facts, values)
    elif argument.kind == "int":
        found = _integers(argument, facts, values)
    else:
        found = iter(())
    kept: list[Any] = []
    named = (v for v in values.named.get(plain_name(argument.name), ()) if _is_kind(v, argument))
    for value in itertools.chain(named, found):
        if isinstance(value, tuple) and argument.name in _PER_DIMENSION:
            value = _one_number(value)
        if not any(_same(value, other) for other in (argument.default, *kept)):
            kept.append(value)
        if len(kept) == MOST:
            break
    return kept


def _is_kind(value: Any, argument: Argument) -> bool:
    items = value if isinstance(value, tuple) and argument.several else (value,)
    kinds: dict[str, type | tuple[type, ...]] = {"bool": bool, "int": int, "float": (int, float), "str": str}
    wanted = kinds.get(argument.kind, ())
    return all(isinstance(item, wanted) and isinstance(item, bool) == (argument.kind == "bool") for item in items)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) or isinstance(other, Tensor):
        return one is other
    return bool(one == other) and isinstance(one, tuple) == isinstance(other, tuple)


def _words(argument: Argument, values: Values) -> Iterator[str]:
    known = (*argument.choices, *(_REDUCTIONS if argument.name == "reduction" else ()))
    yield from (word for word in values.strings if word in known)
    yield from known


def _tensors(facts: Facts, values: Values) -> Iterator[Tensor]:
    """Vectors that the module holds and does not train, and its own numbers as scalars: weights of classes."""
    trained = facts.parameters
    yield from (t for name, t in facts.state.items() if name not in trained and sum(size != 1 for size in t.shape) <= 1)
    yield from (torch.tensor(value, dtype=torch.float64) for value in values.floats[:3])


def _numbers(argument: Argument, facts: Facts, values: Values) -> Iterator[Any]:
    if re.fullmatch(r"(.*_)?eps(ilon)?|tol|.*_eps", argument.name):
        yield from (value for value in values.numbers if 0 <= value < 0.1)
        yield from (*_EPS, 0.0)
        return
    if re.search(r"scale_?factor|ratio", argument.name):
        yield from map(float, _ratios(facts))
        return
    if argument.name == "momentum":  # of running statistics
        yield from (values.numbers[: MOST - 2] if facts.running else ())
        return
    if argument.required:  # numbers that the code does not need to mention
        yield from values.numbers[: MOST - 3]
        yield from (0.0, 1.0, 2.0)
        return
    yield from values.numbers[: MOST - 2]
    yield from (float(v) for v in (*sizes_for(argument.name), 1.0, 0.0) if isinstance(v, int | float))


def _integers(argument: Argument, facts: Facts, values: Values) -> Iterator[Any]:
    rule = next((rule for pattern, rule in _RULES if re.fullmatch(pattern, argument.name)), _any_size)
    if argument.name == "size" and not argument.several:  # of a window over channels, not of what is returned
        rule = _extent
    found = rule(argument, facts, values)
    if argument.several:
        yield from itertools.islice(found, 3)
        yield from (t for t in values.tuples if len(set(t)) > 1 and all(type(item) is int and item > 0 for item in t))
        yield from found
    else:
        yield from (value for value in found if not isinstance(value, tuple))


def _axes(argument: Argument, facts: Facts, values: Values) -> Iterator[Any]:
    rank = max((tensor.ndim for tensor in facts.inputs), default=0)
    yield from (value for value in values.integers if -rank <= value < rank)
    yield -1
    yield from range(max(rank - 1, 1))
    if argument.several:
        yield from (tuple(range(-count, 0)) for count in range(2, rank))


def _inputs(argument: Argument, facts: Facts, values: Values) -> Iterator[int]:
    yield from _favoured(values.inner, values)


def _outputs(argument: Argument, facts: Facts, values: Values) -> Iterator[int]:
    yield from _favoured([size for size in (*values.outer, *values.held) if size > 0], values)


def _favoured(sizes: Sequence[int], values: Values) -> list[int]:
    """Those of ``sizes`` that its state has and that it mentions itself, before the others."""
    return sorted(dict.fromkeys(sizes), key=lambda size: (size not in values.held) + (size not in values.integers))


def _trailing(argument: Argument, facts: Facts, values: Values) -> Iterator[Any]:
    for count in range(1, max((tensor.ndim for tensor in facts.inputs[:1]), default=1)):
        shape = tuple(facts.inputs[0].shape[-count:])
        yield shape[0] if count == 1 else shape


def _target_size(argument: Argument, facts: Facts, values: Values) -> Iterator[Any]:
    for tensor in facts.outputs.values():
        shapes = [tuple(tensor.shape[at:]) for at in range(2, tensor.ndim)] or [tuple(tensor.shape[1:])]
        for shape in (*shapes, tuple(tensor.shape[1:])):
            if shape and len(set(shape)) == 1:
                yield shape[0]
            if shape:
                yield shape
    yield from values.tuples
    yield from values.integers


def _extent(argument: Argument, facts: Facts, values: Values) -> Iterator[Any]:
    yield from map(_one_number, _windows(facts))
    yield from (value for value in values.integers if 0 < value < SMALL)
    yield from _ratios(facts)
    yield from (2, 3)
    yield from _derived(values)
    yield from values.held


def _derived(values: Values) -> list[int]:
    return [value for value in derived_integers(values.integers) if value < SMALL]


def _windows(facts: Facts) -> Iterator[tuple[int, ...]]:
    """What may be the spatial sizes of a kernel that the module holds."""
    for tensor in facts.state.values():
        if tensor.ndim >= 3:
            yield from dict.fromkeys((tuple(tensor.shape[2:]), tuple(tensor.shape[:-2]), tuple(tensor.shape[-2:])))


def _one_number(sizes: tuple[int, ...]) -> Any:
    return sizes[0] if len(set(sizes)) == 1 else sizes


def _groups(argument: Argument, facts: Facts, values: Values) -> Iterator[int]:
    yield from _favoured([value for value in (*values.inner, *values.integers) if value > 0], values)
    yield 2


def _ratios(facts: Facts) -> list[int]:
    """Whole factors between the sizes of an input and of an output at one place."""
    found = []
    for one, other in itertools.product(facts.inputs, facts.outputs.values()):
        for a, b in zip(one.shape, other.shape, strict=False):
            low, high = sorted((a, b))
            if low and low != high and high % low == 0:
                found.append(high // low)
    return list(dict.fromkeys(found))


def _pads(argument: Argument, facts: Facts, values: Values) -> Iterator[Any]:
    """Own integers, what makes up the difference in the trailing sizes, and the usual."""
    yield from (value for value in values.integers if 0 < value < SMALL)
    if argument.several:  # what keeps the sizes under a kernel
        yield from (_one_number(tuple((size - 1) // 2 for size in window)) for window in _windows(facts))
    one, other = facts.inputs[0], next(iter(facts.outputs.values()))
    if one.ndim == other.ndim and argument.several:
        added = [b - a for a, b in zip(one.shape, other.shape, strict=True)]
        depth = next((count for count in range(len(added)) if not any(added[: len(added) - count])), len(added))
        for place in (lambda d: (d // 2, d - d // 2), lambda d: (d, 0), lambda d: (0, d)):
            if depth:
                yield tuple(size for d in reversed(added[-depth:]) for size in place(d))
    yield from (1, 2, 0, 3)


def _steps(argument: Argument, facts: Facts, values: Values) -> Iterator[Any]:
    yield from (value for value in values.integers if 0 < value < SMALL)
    yield from (2, 1, 3)


def _depths(argument: Argument, facts: Facts, values: Values) -> Iterator[Any]:
    yield from [value for value in values.integers if 0 < value < 16][:4]
    yield from (1, 2, 3)


def _any_size(argument: Argument, facts: Facts, values: Values) -> Iterator[Any]:
    usual = [value for value in sizes_for(argument.name) if type(value) is int]
    if not argument.required:
        yield from values.integers[: MOST - 4]
        yield from (*usual, 2, 0, 1)
        return
    yield from (*values.classes, *[size for size in values.integers if size > 0][:4])
    yield from (*_favoured(values.held, values), *values.inner, *values.outer, *usual[:2], 1)


_RULES: tuple[tuple[str, _Rule], ...] = (
    (r"(start_|end_)?(dim|axis)\d?|dims|axes", _axes),
    (r"normali[sz]ed_shape", _trailing),
    (r"(output_|unflattened_)?(sizes?|shape)", _target_size),
    (r".*kernel.*|.*window.*|.*factor|num_groups|num_heads|nhead|.*_heads", _extent),
    (r"num_.*layers|n_layers|depth", _depths),
    (r"in\d?_.*|input_.*|num_features|num_channels|d_model|embed_dim|[kv]dim", _inputs),
    (r"out_.*|output_.*|hidden_.*|embedding_dim", _outputs),
    (r"groups?", _groups),
    (r"pad|padding", _pads),
    (r"stride|dilation|output_padding", _steps),
)
