"""Elementwise terms: functions of one input, of a difference, and of pairs."""

import math
from collections.abc import Callable, Iterator
from itertools import permutations

import torch
import torch.nn.functional as F
from torch import Tensor

from verifykit.identify.losses.field import Field, field
from verifykit.identify.losses.function import Values
from verifykit.identify.losses.symbols import Expression, Symbols

Unary = Callable[[Tensor], Tensor]


def _log1pexp(x: Tensor) -> Tensor:
    """Without the straight line that ``softplus`` of torch becomes above 20, which is off by 2e-9 there."""
    return torch.relu(x) + torch.log1p(torch.exp(-x.abs()))


def _logcosh(x: Tensor) -> Tensor:
    return x.abs() + torch.log1p(torch.exp(-2 * x.abs())) - math.log(2)


# How a function of x reads, {a} standing for x as a factor and {x} for x alone; and whether it is even.
UNARY: list[tuple[str, Unary, bool]] = [
    ("{x}", lambda x: x, False),
    ("|{x}|", torch.abs, True),
    ("{a}²", torch.square, True),
    ("{a}³", lambda x: x**3, False),
    ("{a}⁴", lambda x: x**4, True),
    ("|{x}|³", lambda x: x.abs() ** 3, True),
    ("sqrt(|{x}|)", lambda x: x.abs().sqrt(), True),
    ("exp({x})", torch.exp, False),
    ("exp(-{a})", lambda x: torch.exp(-x), False),
    ("exp(-{a}²)", lambda x: torch.exp(-(x**2)), True),
    ("log({x})", torch.log, False),
    ("log({x})²", lambda x: x.log() ** 2, False),
    ("{a}·log({x})", lambda x: x * x.log(), False),
    ("sqrt({x})", torch.sqrt, False),
    ("1 / {a}", torch.reciprocal, False),
    ("log(1 - {a})", lambda x: torch.log(1 - x), False),
    ("-{a}·log({x}) - (1 - {a})·log(1 - {a})", lambda x: -x * x.log() - (1 - x) * torch.log(1 - x), False),
    ("{a}·(1 - {a})", lambda x: x * (1 - x), False),
    ("softplus({x})", F.softplus, False),
    ("softplus(-{a})", lambda x: F.softplus(-x), False),
    ("log(1 + exp({x}))", _log1pexp, False),
    ("log(1 + exp(-{a}))", lambda x: _log1pexp(-x), False),
    ("sigmoid({x})", torch.sigmoid, False),
    ("sigmoid({x})·(1 - sigmoid({x}))", lambda x: torch.sigmoid(x) * torch.sigmoid(-x), True),
    ("entropy(sigmoid({x}))", lambda x: _log1pexp(x) - x * torch.sigmoid(x), True),
    ("tanh({x})", torch.tanh, False),
    ("tanh({x})²", lambda x: torch.tanh(x) ** 2, True),
    ("log(cosh({x}))", _logcosh, True),
    ("relu({x})", torch.relu, False),
    ("relu(-{a})", lambda x: torch.relu(-x), False),
    ("relu({x})²", lambda x: torch.relu(x) ** 2, False),
    ("relu(-{a})²", lambda x: torch.relu(-x) ** 2, False),
    ("log(1 + {a}²)", lambda x: torch.log1p(x**2), True),
    ("log(1 + |{x}|)", lambda x: torch.log1p(x.abs()), True),
    ("{a}² / (1 + {a}²)", lambda x: x**2 / (1 + x**2), True),
    ("sqrt(1 + {a}²) - 1", lambda x: torch.sqrt(1 + x**2) - 1, True),
    ("sin({x})", torch.sin, False),
    ("cos({x})", torch.cos, True),
]

# The same with a number c of the module, from its range.
WITH_NUMBER: list[tuple[str, Callable[[Tensor, float], Tensor], tuple[float, float], bool]] = [
    ("huber({x}, delta={c})", lambda x, c: F.huber_loss(x, torch.zeros_like(x), delta=c), (0.0, 1e3), True),
    ("relu({x} - {c})", lambda x, c: torch.relu(x - c), (0.0, 1e3), False),
    ("relu({c} - {a})", lambda x, c: torch.relu(c - x), (0.0, 1e3), False),
    ("relu({x} - {c})²", lambda x, c: torch.relu(x - c) ** 2, (0.0, 1e3), False),
    ("relu({c} - {a})²", lambda x, c: torch.relu(c - x) ** 2, (0.0, 1e3), False),
    ("relu(|{x}| - {c})", lambda x, c: torch.relu(x.abs() - c), (0.0, 1e3), True),
    ("relu(|{x}| - {c})²", lambda x, c: torch.relu(x.abs() - c) ** 2, (0.0, 1e3), True),
    ("|{x} - {c}|", lambda x, c: (x - c).abs(), (0.0, 1e3), False),
    ("({x} - {c})²", lambda x, c: (x - c) ** 2, (0.0, 1e3), False),
    ("(|{x}| - {c})²", lambda x, c: (x.abs() - c) ** 2, (0.0, 1e3), True),
    ("sqrt({a}² + {c})", lambda x, c: torch.sqrt(x**2 + c), (0.0, 0.3), True),
    ("sqrt({a}² + {c}²)", lambda x, c: torch.sqrt(x**2 + c**2), (0.0, 1e3), True),
    ("log(1 + ({a} / {c})²)", lambda x, c: torch.log1p((x / c) ** 2), (0.0, 1e3), True),
    ("|{x}|^{c}", lambda x, c: x.abs() ** c, (0.0, 8.0), True),
    ("log({x} + {c})", lambda x, c: torch.log(x + c), (0.0, 1.0), False),
    ("pinball({x}, {c})", lambda x, c: torch.maximum(c * x, (c - 1) * x), (0.0, 1.0), False),
    ("exp({c}·{a})", lambda x, c: torch.exp(c * x), (0.0, 8.0), False),
    ("log(cosh({c}·{a}))", lambda x, c: _logcosh(c * x), (0.0, 1e3), True),
]

# Functions of two inputs, in both orders.
BINARY: list[tuple[str, Callable[[Tensor, Tensor], Tensor], bool]] = [
    ("{a}·{b}", torch.mul, True),
    ("{a}·log({b})", lambda a, b: a * b.log(), False),
    ("{a}·log({a} / {b})", lambda a, b: a * (a.log() - b.log()), False),
    ("-{a}·log({b}) - (1 - {a})·log(1 - {b})", lambda a, b: -a * b.log() - (1 - a) * torch.log(1 - b), False),
    ("relu(1 - {a}·{b})", lambda a, b: torch.relu(1 - a * b), True),
    ("relu(1 - {a}·{b})²", lambda a, b: torch.relu(1 - a * b) ** 2, True),
    ("softplus(-{a}·{b})", lambda a, b: _log1pexp(-a * b), True),
    ("exp(-{a}·{b})", lambda a, b: torch.exp(-a * b), True),
    ("{a} - {b}·log({a})", lambda a, b: a - b * a.log(), False),
    ("exp({a}) - {b}·{a}", lambda a, b: a.exp() - b * a, False),
    ("(log({a}) - log({b}))²", lambda a, b: (a.log() - b.log()) ** 2, True),
    ("|log({a}) - log({b})|", lambda a, b: (a.log() - b.log()).abs(), True),
    ("(log(1 + {a}) - log(1 + {b}))²", lambda a, b: (a.log1p() - b.log1p()) ** 2, True),
    ("|{a} - {b}| / |{b}|", lambda a, b: (a - b).abs() / b.abs(), False),
    ("({a} - {b})² / {b}²", lambda a, b: ((a - b) / b) ** 2, False),
    ("|{a} - {b}| / (|{a}| + |{b}|)", lambda a, b: (a - b).abs() / (a.abs() + b.abs()), True),
    ("({a} - {b})² / {b}", lambda a, b: (a - b) ** 2 / b, False),
    ("{a} / {b} - log({a} / {b}) - 1", lambda a, b: a / b - a.log() + b.log() - 1, False),
    ("(sigmoid({a}) - {b})²", lambda a, b: (torch.sigmoid(a) - b) ** 2, False),
    ("(|{a}| - |{b}|)²", lambda a, b: (a.abs() - b.abs()) ** 2, True),
    ("({a}² - {b}²)²", lambda a, b: (a**2 - b**2) ** 2, True),
    ("0.5·({a}² + exp({b}) - {b} - 1)", lambda a, b: 0.5 * (a**2 + b.exp() - b - 1), False),
    ("{a}²·exp(-{b})", lambda a, b: a**2 * torch.exp(-b), False),
]


def elementwise(symbols: Symbols) -> Iterator[Field]:
    """Yield the elementwise fields of the inputs that have no number in them."""
    for name in symbols.reals:
        yield from _unary(symbols.expression(name), 4)
    for one, other in symbols.pairs():
        yield from _unary(symbols.difference(one, other), 5)
        yield from _unary(symbols.difference(other, one), 6, even_ones=False)
        for a, b in permutations((one, other)):
            for template, function, is_symmetric in BINARY:
                if not is_symmetric or a == one:
                    text = template.format(a=symbols.written[a], b=symbols.written[b])
                    yield field(text, _two(function, a, b), 6, pointwise=True)


def with_numbers(symbols: Symbols) -> Iterator[Field]:
    """Yield the elementwise fields that have a number of the module in them."""
    expressions = [(symbols.expression(name), True) for name in symbols.reals]
    for one, other in symbols.pairs():
        expressions += [(symbols.difference(one, other), True), (symbols.difference(other, one), False)]
    for of, even_ones in expressions:
        for template, function, (low, high), is_even in WITH_NUMBER:
            if even_ones or not is_even:
                for c in symbols.numbers(low, high):
                    text = template.format(x=of.text, a=of.atom, c=f"{c:g}")
                    yield field(text, _with(function, of, c), 8, pointwise=True)


def _unary(of: Expression, cost: int, *, even_ones: bool = True) -> Iterator[Field]:
    for template, function, is_even in UNARY:
        if even_ones or not is_even:
            yield field(template.format(x=of.text, a=of.atom), _one(function, of), cost, pointwise=True)


def _one(function: Unary, of: Expression) -> Callable[[Values], Tensor]:
    return lambda values: function(of.of(values))


def _with(function: Callable[[Tensor, float], Tensor], of: Expression, c: float) -> Callable[[Values], Tensor]:
    return lambda values: function(of.of(values), c)


def _two(function: Callable[[Tensor, Tensor], Tensor], a: str, b: str) -> Callable[[Values], Tensor]:
    return lambda values: function(values[a], values[b])
