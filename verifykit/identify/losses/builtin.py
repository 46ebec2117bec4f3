"""The losses of ``torch.nn`` as terms, generated from their signatures."""

import inspect
from collections.abc import Callable, Iterator
from itertools import permutations, product
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import loss as losses

from verifykit.identify.losses.field import Field, number
from verifykit.identify.losses.function import Values, precision_of
from verifykit.identify.losses.symbols import Symbols

# How far each argument of a loss may range, apart from its default; other arguments stay at their defaults.
RANGES = {
    "delta": (0.0, 1e3),
    "beta": (0.0, 1e3),
    "margin": (-1e3, 1e3),
    "label_smoothing": (0.0, 1.0),
    "eps": (0.0, 0.1),
    "p": (0.5, 8.0),
}

# Arguments that do nothing but name the reduction.
_OBSOLETE = ("size_average", "reduce", "reduction")


def builtin_losses(symbols: Symbols) -> Iterator[Field]:
    """Yield every loss of ``torch.nn`` that takes the inputs, in every order, and heeds them, with plausible arguments;
    first among equals is the one that the module is called after.
    """
    inputs = [*symbols.reals, *symbols.others]
    for name in losses.__all__:
        kind = getattr(nn, name, None)
        if kind is None or any(p.default is p.empty and p.name != "args" for p in _arguments(kind)):
            continue
        count = len(inspect.signature(kind.forward).parameters) - 1
        own = 2 if name == symbols.label else 0
        for rank, (order, given) in enumerate(product(permutations(inputs, count), _grid(kind, symbols))):
            none = _call(kind, order, {**given, "reduction": "none"})
            if order[0] in symbols.reals and _heeds(none, order, symbols):
                yield from _fields(kind, order, given, symbols, min(rank, 8) + 2 - own)


def _fields(
    kind: type[nn.Module], order: tuple[str, ...], given: dict[str, Any], symbols: Symbols, cost: int
) -> Iterator[Field]:
    fed = ", ".join([symbols.written[name] for name in order] + [f"{n}={_plain(v)}" for n, v in given.items()])
    text = f"{kind.__name__}({fed}"
    cost += 3 * len(given)
    if any(isinstance(value, Tensor) for value in given.values()):  # weights take part in the mean
        yield number(f"{text})", _call(kind, order, {**given, "reduction": "mean"}), cost)
    none = _call(kind, order, {**given, "reduction": "none"})
    mean = f"{text})" if "weight" not in given else f"{text}, reduction='sum') / count"
    yield Field(mean, f"{text}, reduction='sum')", none, cost)


def _call(kind: type[nn.Module], order: tuple[str, ...], given: dict[str, Any]) -> Callable[[Values], Tensor]:
    made: dict[torch.dtype, nn.Module] = {}

    def of(values: Values) -> Tensor:
        dtype = precision_of(values)
        if dtype not in made:
            made[dtype] = kind(**given).to(dtype)
        tensors = [values[name] for name in order]
        try:
            result: Tensor = made[dtype](*tensors)
        except (RuntimeError, ValueError, NotImplementedError):  # integers and booleans where it wants reals
            real = [tensor if tensor.is_floating_point() else tensor.to(dtype) for tensor in tensors]
            result = made[dtype](*real)
        return result

    return of


def _heeds(of: Callable[[Values], Tensor], order: tuple[str, ...], symbols: Symbols) -> bool:
    """Whether each of the inputs makes a difference: labels that are no labels to a loss may make none."""
    try:
        before = of(symbols.values)
        others = [
            of({**symbols.values, name: symbols.values[name].flatten().roll(1).reshape(symbols.shapes[name])})
            for name in order
        ]
    except Exception:  # it takes other inputs
        return False
    return not any(torch.equal(before, other) for other in others)


def _grid(kind: type[nn.Module], symbols: Symbols) -> Iterator[dict[str, Any]]:
    """Its defaults; then each argument alone at another value; then two at once, for what the module itself names."""
    yield {}
    options: dict[str, list[Any]] = {}
    for argument in _arguments(kind):
        if argument.name in _OBSOLETE:
            continue
        if isinstance(argument.default, bool):
            options[argument.name] = [not argument.default]
        elif argument.name in RANGES:
            values = symbols.numbers(*RANGES[argument.name])
            whole = isinstance(argument.default, int)
            values = [int(v) if whole else v for v in values if v != argument.default and (not whole or v in (1, 2))]
            options[argument.name] = list(values)
        elif argument.name in ("weight", "pos_weight"):
            options[argument.name] = list(symbols.tensors)
    for name, values in options.items():
        yield from ({name: value} for value in values)
    for one, other in [("margin", "p"), ("margin", "swap"), ("margin", "eps"), ("weight", "label_smoothing")]:
        for first, second in product(options.get(one, []), options.get(other, [])):
            yield {one: first, other: second}


def _plain(value: Any) -> str:
    return "weight" if isinstance(value, Tensor) else f"{value:g}" if isinstance(value, float) else repr(value)


def _arguments(kind: type[nn.Module]) -> list[inspect.Parameter]:
    return [p for p in inspect.signature(kind).parameters.values() if p.kind is not p.VAR_KEYWORD]
