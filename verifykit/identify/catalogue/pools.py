"""What one argument may be given: values that the audited module mentions, sizes of its tensors, and a small grid."""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from verifykit.identify.catalogue.signatures import Argument
from verifykit.identify.catalogue.values import Values, plain_name, values_of
from verifykit.identify.facts import Facts
from verifykit.spec.inference.names import sizes_for

# More values than these are not tried for one argument.
MOST = 10

# Beyond this an integer is a length or an index, which nothing is to be padded or repeated by.
SMALL = 64

_EPS = (1e-5, 1e-6, 1e-8, 1e-12, 1e-3, 1e-7)

# Alternatives that documentation names in one place only, or in words.
_STRINGS = {
    "reduction": ("mean", "sum", "none", "batchmean"),
    "mode": ("nearest", "bilinear", "linear", "bicubic", "trilinear", "area", "nearest-exact", "constant", "reflect",
             "replicate", "circular", "sum", "mean", "max"),
    "padding_mode": ("zeros", "reflect", "replicate", "circular", "border", "reflection"),
}  # fmt: skip

_Rule = Callable[[Argument, Facts, Values], Iterator[Any]]


def pool(argument: Argument, facts: Facts) -> list[Any]:
    """Return what ``argument`` may be given other than its default, the likeliest first; at most ``MOST`` values."""
    values = values_of(facts)
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
    known = (*argument.choices, *_STRINGS.get(argument.name, ()))
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
    if argument.required:  # numbers that the code does not need to mention
        yield from values.numbers[: MOST - 3]
        yield from (0.0, 1.0, 2.0)
        return
    yield from values.numbers[: MOST - 2]
    yield from (float(v) for v in (*sizes_for(argument.name), 1.0, 0.0) if isinstance(v, int | float))


def _integers(argument: Argument, facts: Facts, values: Values) -> Iterator[Any]:
    rule = next((rule for pattern, rule in _RULES if re.fullmatch(pattern, argument.name)), _any_size)
    found = rule(argument, facts, values)
    if argument.several:
        yield from itertools.chain((v for v in _tuples(argument, facts, values)), found)
    else:
        yield from (value for value in found if not isinstance(value, tuple))


def _tuples(argument: Argument, facts: Facts, values: Values) -> Iterator[tuple[Any, ...]]:
    """Tuples that the module was given itself, as far as they say more than a number."""
    length = len(argument.default) if isinstance(argument.default, tuple) else 0
    for value in values.tuples:
        if all(type(item) is int for item in value) and len(set(value)) > 1 and length in (0, len(value)):
            yield value


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
    """Those of ``sizes`` that the module's own arguments mention, before the others."""
    return sorted(dict.fromkeys(sizes), key=lambda size: size not in values.integers)


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
    for tensor in facts.state.values():
        if tensor.ndim >= 3:
            for window in dict.fromkeys((tuple(tensor.shape[2:]), tuple(tensor.shape[:-2]), tuple(tensor.shape[-2:]))):
                yield window[0] if len(set(window)) <= 1 and window else window
    yield from (value for value in values.integers if 0 < value < SMALL)
    yield from _ratios(facts)
    yield from (2, 3)
    yield from values.held


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
    (r".*kernel.*|.*window.*|.*factor|groups?|num_groups|num_heads|nhead|.*_heads", _extent),
    (r"num_.*layers|n_layers|depth", _depths),
    (r"in\d?_.*|input_.*|num_features|num_channels|d_model|embed_dim|[kv]dim", _inputs),
    (r"out_.*|output_.*|hidden_.*|embedding_dim", _outputs),
    (r"pad|padding", _pads),
    (r"stride|dilation|output_padding", _steps),
)
