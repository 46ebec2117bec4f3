"""The terms that a loss may be made of."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from verifykit.identify.losses.builtin import builtin_losses
from verifykit.identify.losses.elementwise import elementwise, with_numbers
from verifykit.identify.losses.field import Field, field, number
from verifykit.identify.losses.function import Values
from verifykit.identify.losses.overlap import classes, overlap
from verifykit.identify.losses.structured import softened, structured
from verifykit.identify.losses.symbols import Symbols


def plain_terms(symbols: Symbols) -> Iterator[Field]:
    """Yield the losses of torch that take the inputs, and the fields without a number of the module's own."""
    yield from builtin_losses(symbols)
    yield from elementwise(symbols)
    yield from structured(symbols)
    yield from _penalties(symbols)


def further_terms(symbols: Symbols) -> Iterator[Field]:
    """Yield the fields that have numbers in them, and those of overlaps and classes."""
    yield from with_numbers(symbols)
    yield from softened(symbols)
    yield from overlap(symbols)
    yield from classes(symbols)


def _penalties(symbols: Symbols) -> Iterator[Field]:
    """What is asked of the parameters, each alone and all together."""
    names = symbols.parameters
    for name in names:
        for text, function in ((f"|{name}|", torch.abs), (f"{name}²", torch.square), (name, torch.clone)):
            yield number(f"sum({text})", _all((name,), function), 3)
            yield field(text, _all((name,), function), 5)
        yield number(f"norm({name})", _all((name,), torch.norm), 5)
    if len(names) > 1:
        yield number("sum(parameters²)", _all(names, torch.square), 3)
        yield number("sum(|parameters|)", _all(names, torch.abs), 3)


def _all(names: Sequence[str], function: Callable[[Tensor], Tensor]) -> Callable[[Values], Tensor]:
    return lambda values: torch.cat([function(values[name]).flatten() for name in names])
