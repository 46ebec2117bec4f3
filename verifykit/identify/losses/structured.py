"""Terms in which elements act together: norms, deviations, variation, similarity, overlap, distributions."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import permutations

import torch
import torch.nn.functional as F
from torch import Tensor

from verifykit.identify.losses.field import Field, field, number
from verifykit.identify.losses.function import Values
from verifykit.identify.losses.symbols import Expression, Symbols

Along = Callable[[Tensor, int], Tensor]

# How a function of x along a dimension reads.
ALONG: list[tuple[str, Along]] = [
    ("norm({x}, dim={d})", lambda x, d: x.norm(dim=d)),
    ("norm({x}, 1, dim={d})²", lambda x, d: x.norm(p=1, dim=d) ** 2),
    ("max(|{x}|, dim={d})", lambda x, d: x.abs().amax(d)),
    ("max({x}, dim={d})", lambda x, d: x.amax(d)),
    ("min({x}, dim={d})", lambda x, d: x.amin(d)),
    ("var({x}, dim={d})", lambda x, d: x.var(d)),
    ("var({x}, dim={d}, unbiased=False)", lambda x, d: x.var(d, unbiased=False)),
    ("std({x}, dim={d})", lambda x, d: x.std(d)),
    ("std({x}, dim={d}, unbiased=False)", lambda x, d: x.std(d, unbiased=False)),
    ("mean({x}, dim={d})²", lambda x, d: x.mean(d) ** 2),
    ("|mean({x}, dim={d})|", lambda x, d: x.mean(d).abs()),
    ("(norm({x}, dim={d}) - 1)²", lambda x, d: (x.norm(dim=d) - 1) ** 2),
    ("(sum({x}, dim={d}) - 1)²", lambda x, d: (x.sum(d) - 1) ** 2),
    ("|diff({x}, dim={d})|", lambda x, d: x.diff(dim=d).abs()),
    ("diff({x}, dim={d})²", lambda x, d: x.diff(dim=d) ** 2),
    ("|diff({x}, n=2, dim={d})|", lambda x, d: x.diff(n=2, dim=d).abs()),
    ("diff({x}, n=2, dim={d})²", lambda x, d: x.diff(n=2, dim=d) ** 2),
]

# The same for an input alone: as logits, or as a distribution.
ALONE: list[tuple[str, Along]] = [
    ("logsumexp({x}, dim={d})", lambda x, d: x.logsumexp(d)),
    ("logsumexp({x}, dim={d})²", lambda x, d: x.logsumexp(d) ** 2),
    ("entropy(softmax({x}, dim={d}))", lambda x, d: -(x.softmax(d) * x.log_softmax(d)).sum(d)),
    ("sum(softmax({x}, dim={d})²)", lambda x, d: (x.softmax(d) ** 2).sum(d)),
    ("max(softmax({x}, dim={d}))", lambda x, d: x.softmax(d).amax(d)),
    ("log_softmax({x}, dim={d})", lambda x, d: x.log_softmax(d)),
]

# The whole tensor as one number.
WHOLE: list[tuple[str, Callable[[Tensor], Tensor]]] = [
    ("norm({x})", torch.norm),
    ("sqrt(mean({a}²))", lambda x: (x**2).mean().sqrt()),
    ("max(|{x}|)", lambda x: x.abs().amax()),
    ("max({x})", torch.amax),
    ("min({x})", torch.amin),
    ("mean({x})²", lambda x: x.mean() ** 2),
    ("|mean({x})|", lambda x: x.mean().abs()),
    ("mean(|{x}|)²", lambda x: x.abs().mean() ** 2),
    ("var({x})", torch.var),
    ("var({x}, unbiased=False)", lambda x: x.var(unbiased=False)),
    ("std({x})", torch.std),
    ("std({x}, unbiased=False)", lambda x: x.std(unbiased=False)),
    ("logsumexp({x})", lambda x: x.flatten().logsumexp(0)),
    ("(mean({x}) - 1)²", lambda x: (x.mean() - 1) ** 2),
    ("(norm({x}) - 1)²", lambda x: (x.norm() - 1) ** 2),
    ("norm({x}, 'nuc')", lambda x: torch.linalg.matrix_norm(x, "nuc")),
]

# Two inputs of one shape along a dimension; whether their order does not matter.
BETWEEN: list[tuple[str, Callable[[Tensor, Tensor, int], Tensor], bool]] = [
    ("cosine_similarity({a}, {b}, dim={d})", lambda a, b, d: F.cosine_similarity(a, b, d), True),
    ("1 - cosine_similarity({a}, {b}, dim={d})", lambda a, b, d: 1 - F.cosine_similarity(a, b, d), True),
    ("cosine_similarity({a}, {b}, dim={d})²", lambda a, b, d: F.cosine_similarity(a, b, d) ** 2, True),
    ("sum({a}·{b}, dim={d})²", lambda a, b, d: (a * b).sum(d) ** 2, True),
    ("corr({a}, {b}, dim={d})", lambda a, b, d: _correlation(a, b, d), True),
    ("1 - corr({a}, {b}, dim={d})", lambda a, b, d: 1 - _correlation(a, b, d), True),
    ("(mean({a}, dim={d}) - mean({b}, dim={d}))²", lambda a, b, d: (a - b).mean(d) ** 2, True),
    ("(std({a}, dim={d}) - std({b}, dim={d}))²", lambda a, b, d: (a.std(d) - b.std(d)) ** 2, True),
    ("(var({a}, dim={d}) - var({b}, dim={d}))²", lambda a, b, d: (a.var(d) - b.var(d)) ** 2, True),
    ("-sum({a}·log_softmax({b}, dim={d}))", lambda a, b, d: -(a * b.log_softmax(d)).sum(d), False),
    ("(softmax({a}, dim={d}) - softmax({b}, dim={d}))²", lambda a, b, d: (a.softmax(d) - b.softmax(d)) ** 2, True),
    ("(softmax({a}, dim={d}) - {b})²", lambda a, b, d: (a.softmax(d) - b) ** 2, False),
    ("(diff({a}, dim={d}) - diff({b}, dim={d}))²", lambda a, b, d: (a - b).diff(dim=d) ** 2, True),
    ("|diff({a}, dim={d}) - diff({b}, dim={d})|", lambda a, b, d: (a - b).diff(dim=d).abs(), True),
    ("norm({a} - {b}, dim={d}) / norm({b}, dim={d})", lambda a, b, d: (a - b).norm(dim=d) / b.norm(dim=d), False),
]


def structured(symbols: Symbols) -> Iterator[Field]:
    """Yield the fields of the inputs, and of their differences, along each dimension and over all of them."""
    for name in symbols.reals:
        yield from _along(symbols.expression(name), len(symbols.shapes[name]), [*ALONG, *ALONE], 7)
    for one, other in symbols.pairs():
        yield from _along(symbols.difference(one, other), len(symbols.shapes[one]), ALONG, 8)
        for d in range(len(symbols.shapes[one])):
            for a, b in permutations((one, other)):
                for template, function, is_symmetric in BETWEEN:
                    if not is_symmetric or a == one:
                        text = template.format(a=symbols.written[a], b=symbols.written[b], d=d)
                        yield field(text, _between(function, a, b, d), 8)


def _along(of: Expression, rank: int, functions: list[tuple[str, Along]], cost: int) -> Iterator[Field]:
    for d in range(rank):
        for template, function in functions:
            text = template.format(x=of.text, a=of.atom, d=d)
            yield field(text, _one(of, partial(_at, function, d)), cost)
    for template, whole in WHOLE:
        text = template.format(x=of.text, a=of.atom)
        yield number(text, _one(of, whole), cost + 1)


def _at(function: Along, d: int, x: Tensor) -> Tensor:
    return function(x, d)


def _one(of: Expression, function: Callable[[Tensor], Tensor]) -> Callable[[Values], Tensor]:
    return lambda values: function(of.of(values))


def softened(symbols: Symbols) -> Iterator[Field]:
    """Yield divergences of softened distributions, as in distillation."""
    for one, other in symbols.pairs():
        for temperature in symbols.numbers(0.0, 101.0, 1.0, 2.0):
            for d in range(len(symbols.shapes[one])):
                for a, b in permutations((one, other)):
                    over = f" / {temperature:g}" if temperature != 1 else ""
                    written = [f"softmax({symbols.written[name]}{over}, dim={d})" for name in (a, b)]
                    yield field(f"KL({written[0]} ‖ {written[1]})", _softened(a, b, d, temperature), 8)
                    if temperature == 1:
                        yield field(f"KL({symbols.written[a]} ‖ {written[1]})", _onto(a, b, d), 8)


def _softened(a: str, b: str, d: int, temperature: float) -> Callable[[Values], Tensor]:
    def of(values: Values) -> Tensor:
        p, q = (values[name].div(temperature).log_softmax(d) for name in (a, b))
        return (p.exp() * (p - q)).sum(d)

    return of


def _onto(a: str, b: str, d: int) -> Callable[[Values], Tensor]:
    return lambda values: (torch.xlogy(values[a], values[a]) - values[a] * values[b].log_softmax(d)).sum(d)


def _between(function: Callable[[Tensor, Tensor, int], Tensor], a: str, b: str, d: int) -> Callable[[Values], Tensor]:
    return lambda values: function(values[a], values[b], d)


def _correlation(a: Tensor, b: Tensor, d: int) -> Tensor:
    return F.cosine_similarity(a - a.mean(d, keepdim=True), b - b.mean(d, keepdim=True), d)
