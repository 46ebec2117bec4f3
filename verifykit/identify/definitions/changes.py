"""What may befall the inputs or the output of any operation."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import torch
from torch import Tensor
from torch.nn import functional as F

from verifykit.identify.definitions.found_numbers import numbers_of
from verifykit.identify.facts import Facts


@dataclass(frozen=True)
class Change:
    """``make`` takes what is changed and all inputs; ``back`` undoes in the output what was done to the order of an
    input. ``phrase`` says it of ``{input}``.
    """

    phrase: str
    make: Callable[[Tensor, Sequence[Tensor]], Tensor]
    back: Callable[[Tensor], Tensor] | None = None


def after(y: Tensor, inputs: Sequence[Tensor]) -> Iterator[Change]:
    """Yield what may be done to the output ``y``."""
    yield Change("", _alone(lambda y: y))
    yield from (Change(phrase, _alone(function)) for phrase, function in _AFTER.items())
    for d in range(y.ndim):
        where = _dimension(d, y.ndim)
        yield Change(f"it is shifted by one along {where}, zero first", _alone(partial(_shifted, dim=d, by=1)))
        yield Change(f"it is shifted back by one along {where}, zero last", _alone(partial(_shifted, dim=d, by=-1)))
        yield Change(f"its order is reversed along {where}", _alone(partial(_reversed, dim=d)))
    for place, x in enumerate(inputs):
        if x.shape == y.shape and x.is_floating_point():
            what = "its input" if len(inputs) == 1 else f"input {place + 1}"
            yield Change(f"{what} is added to it (a residual connection)", _with(torch.add, place))
            yield Change(f"{what} is subtracted from it", _with(torch.sub, place))
            yield Change(f"it is multiplied by {what}", _with(torch.mul, place))


def before(x: Tensor, facts: Facts) -> Iterator[Change]:
    """Yield what may be done to the input ``x``."""
    if x.is_floating_point():
        yield from (Change(phrase, _alone(function)) for phrase, function in _BEFORE.items())
        if x.ndim:
            yield from (Change(phrase, _alone(function)) for phrase, function in _ALONG.items())
        for value in _factors(facts):
            yield Change(f"{{input}} is multiplied by {value:.6g}", _alone(partial(torch.mul, other=value)))
            yield Change(f"{{input}} is divided by {value:.6g}", _alone(partial(torch.div, other=value)))
            yield Change(f"{value:.6g} is added to {{input}}", _alone(partial(torch.add, other=value)))
            yield Change(f"{value:.6g} is subtracted from {{input}}", _alone(partial(torch.sub, other=value)))
    for d in range(x.ndim):
        where, reverse = _dimension(d, x.ndim), partial(_reversed, dim=d)
        yield Change(f"{{input}} is taken in reversed order along {where}", _alone(reverse))
        yield Change(f"it runs in reversed order along {where}, from its end", _alone(reverse), reverse)
    for one, other in combinations(range(x.ndim), 2):
        text, swap = (
            f"dimensions {one} and {other} of {{input}} are transposed first",
            partial(_swapped, dims=(one, other)),
        )
        yield Change(text, _alone(swap))
        yield Change(f"{text}, and back afterwards", _alone(swap), swap)
    if x.ndim >= 3:
        last, first = partial(_moved, source=1, to=-1), partial(_moved, source=-1, to=1)
        yield Change("{input} is permuted to channels last first", _alone(last))
        yield Change("{input} is permuted from channels last first", _alone(first))
        yield Change("{input} has channels last", _alone(first), last)


def reductions() -> Iterator[Change]:
    """Yield the ways to make one number of many."""
    yield from (Change(phrase, _alone(function)) for phrase, function in _REDUCTIONS.items())


def _alone(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Sequence[Tensor]], Tensor]:
    return lambda x, inputs: function(x)


def _with(function: Callable[[Tensor, Tensor], Tensor], place: int) -> Callable[[Tensor, Sequence[Tensor]], Tensor]:
    return lambda y, inputs: function(y, inputs[place])


def _factors(facts: Facts) -> list[float]:
    """The numbers of the code, and those by which people scale."""
    found = numbers_of(facts)
    written = [abs(value) for value in (*found.loose, *found.named.values()) if value not in (0.0, 1.0)]
    return list(dict.fromkeys([*written[:8], 2.0, math.sqrt(2), math.log(2)]))


def _shifted(y: Tensor, dim: int, by: int) -> Tensor:
    moved = y.roll(by, dim)
    moved.select(dim, 0 if by > 0 else -1).zero_()
    return moved


def _reversed(y: Tensor, dim: int) -> Tensor:
    return y.flip(dim)


def _swapped(y: Tensor, dims: tuple[int, int]) -> Tensor:
    return y.transpose(*dims)


def _moved(y: Tensor, source: int, to: int) -> Tensor:
    return y.movedim(source, to)


def _dimension(d: int, of: int) -> str:
    return "the last dimension" if d == of - 1 else f"dimension {d}"


_AFTER: dict[str, Callable[[Tensor], Tensor]] = {
    "it is squared": torch.square,
    "its root is taken": torch.sqrt,
    "its sign is dropped (the absolute value is taken)": torch.abs,
    "its logarithm is taken": torch.log,
    "log(1 + x) is taken of it": torch.log1p,
    "its exponential is taken": torch.exp,
    "its reciprocal is taken": torch.reciprocal,
    "it is cut off at zero": torch.relu,
    "a sigmoid is applied to it": torch.sigmoid,
    "tanh is applied to it": torch.tanh,
}
_BEFORE: dict[str, Callable[[Tensor], Tensor]] = {
    "the sign of {input} is turned": torch.neg,
    "the sign of {input} is dropped (its absolute value is taken)": torch.abs,
    "{input} is squared first": torch.square,
    "the root of {input} is taken first": torch.sqrt,
    "the exponential of {input} is taken first": torch.exp,
    "the logarithm of {input} is taken first": torch.log,
    "log(1 + x) is taken of {input} first": torch.log1p,
    "a sigmoid is applied to {input} first": torch.sigmoid,
    "tanh is applied to {input} first": torch.tanh,
    "negative values of {input} are set to zero first": torch.relu,
    "{input} is subtracted from one": lambda x: 1 - x,
    "{input}, 0 or 1, is taken for -1 or 1": lambda x: 2 * x - 1,
}
_ALONG: dict[str, Callable[[Tensor], Tensor]] = {
    "a softmax is applied to {input} first": lambda x: x.softmax(-1),
    "a log-softmax is applied to {input} first": lambda x: x.log_softmax(-1),
    "the mean of {input} over the last dimension is subtracted first": lambda x: x - x.mean(-1, keepdim=True),
    "{input} is scaled to unit length first": lambda x: F.normalize(x, dim=-1),
    "the greatest value of {input} over the last dimension is subtracted first": lambda x: x - x.amax(-1, keepdim=True),
}
_REDUCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "": torch.mean,
    "it is summed instead of averaged": torch.sum,
    "its sum is divided by the size of the batch": lambda y: y.sum() / y.shape[0],
    "the median is taken instead of the mean": torch.median,
    "the maximum is taken instead of the mean": torch.max,
    "the root of the mean is taken": lambda y: y.mean().sqrt(),
    "the logarithm of the mean is taken": lambda y: y.mean().log(),
    "the mean is squared": lambda y: y.mean().square(),
    "it is averaged over the first dimension, then summed": lambda y: y.mean(0).sum(),
    "it is summed over the last dimension, then averaged": lambda y: y.sum(-1).mean(),
}
