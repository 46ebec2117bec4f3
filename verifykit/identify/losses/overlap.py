"""Terms of segmentation and of classes: overlap of masks, focal losses, and losses of probabilities of labels."""

from collections.abc import Callable, Iterator
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from verifykit.identify.losses.field import Field, field, number
from verifykit.identify.losses.function import Values
from verifykit.identify.losses.symbols import Symbols, as_real

# The overlap of a prediction and a mask from their product's sum, and the sums of each, with smoothing s.
OVERLAPS: list[tuple[str, Callable[[Tensor, Tensor, Tensor, float], Tensor]]] = [
    ("dice", lambda both, a, b, s: (2 * both + s) / (a + b + s)),
    ("iou", lambda both, a, b, s: (both + s) / (a + b - both + s)),
]


def overlap(symbols: Symbols) -> Iterator[Field]:
    """Yield one less the overlap of inputs of one shape, as values and as logits, over all and for each sample."""
    pairs = [*symbols.pairs()]
    pairs += [(a, b) for a in symbols.reals for b in symbols.others if symbols.shapes[a] == symbols.shapes[b]]
    for a, b in pairs:
        for activation, squash in (("{}", lambda x: x), ("sigmoid({})", torch.sigmoid)):
            one, other = activation.format(symbols.written[a]), symbols.written[b]
            for s in symbols.numbers(0.0, 101.0, 1.0):
                for name, ratio in OVERLAPS:
                    text, smooth = f"1 - {name}({one}, {other}", f"smooth={s:g})"
                    yield number(f"({text}, {smooth})", _overlap(a, b, s, squash, ratio, 0), 9)
                    yield field(f"{text}, each sample, {smooth}", _overlap(a, b, s, squash, ratio, 1), 9)


def classes(symbols: Symbols) -> Iterator[Field]:
    """Yield fields of a prediction and the classes that integers name, and the focal losses of both kinds."""
    for name, labels, axis in symbols.labelled():
        p, t = symbols.written[name], symbols.written[labels]
        value, logged = _picked(name, labels, axis, softened=False), _picked(name, labels, axis, softened=True)
        yield field(f"-log({p}[{t}])", _then(value, lambda x: -x.log()), 6)
        yield field(f"{p}[{t}]", value, 6)
        yield field(f"1 - softmax({p})[{t}]", _then(logged, lambda x: 1 - x.exp()), 7)
        yield field(f"-log_softmax({p})[{t}]", _then(logged, torch.neg), 7)
        yield field(f"(softmax({p}) - onehot({t}))²", _brier(name, labels, axis), 7)
        for gamma in symbols.numbers(0.0, 10.0, 1.0, 2.0):
            text = f"-(1 - softmax({p})[{t}])^{gamma:g}·log_softmax({p})[{t}]"
            yield field(text, _then(logged, partial(_focused, gamma)), 7)
        for epsilon in symbols.numbers(0.0, 0.1):
            yield field(f"-log({p}[{t}] + {epsilon:g})", _then(value, partial(_minus_log, epsilon)), 8)
    yield from _focal(symbols)


def _focal(symbols: Symbols) -> Iterator[Field]:
    pairs = [(a, b) for a in symbols.reals for b in (*symbols.reals, *symbols.others)]
    for a, b in pairs:
        if a == b or symbols.shapes[a] != symbols.shapes[b]:
            continue
        p, t = symbols.written[a], symbols.written[b]
        for gamma in symbols.numbers(0.0, 10.0, 2.0):
            yield field(f"focal({p}, {t}, gamma={gamma:g})", _binary_focal(a, b, gamma, None), 8)
            for alpha in symbols.numbers(0.0, 1.0, 0.25):
                text = f"focal({p}, {t}, gamma={gamma:g}, alpha={alpha:g})"
                yield field(text, _binary_focal(a, b, gamma, alpha), 9)


def _binary_focal(a: str, b: str, gamma: float, alpha: float | None) -> Callable[[Values], Tensor]:
    """Source: T.-Y. Lin et al., "Focal Loss for Dense Object Detection" (2017), with soft targets as torchvision."""

    def of(values: Values) -> Tensor:
        x, t = values[a], as_real(values[b]).to(values[a].dtype)
        p = torch.sigmoid(x)
        loss = F.binary_cross_entropy_with_logits(x, t, reduction="none")
        loss = loss * (1 - (p * t + (1 - p) * (1 - t))) ** gamma
        return loss if alpha is None else loss * (alpha * t + (1 - alpha) * (1 - t))

    return of


def _overlap(
    a: str,
    b: str,
    s: float,
    squash: Callable[[Tensor], Tensor],
    ratio: Callable[[Tensor, Tensor, Tensor, float], Tensor],
    first: int,
) -> Callable[[Values], Tensor]:
    def of(values: Values) -> Tensor:
        one = squash(values[a])
        other = as_real(values[b]).to(one.dtype)
        both, one, other = (tensor.flatten(first).sum(-1) for tensor in (one * other, one, other))
        return 1 - ratio(both, one, other, s)

    return of


def _picked(name: str, labels: str, axis: int, *, softened: bool) -> Callable[[Values], Tensor]:
    """The element, or its log-softmax, that the label names."""

    def of(values: Values) -> Tensor:
        x = values[name].log_softmax(axis) if softened else values[name]
        return x.gather(axis, values[labels].long().unsqueeze(axis)).squeeze(axis)

    return of


def _then(of: Callable[[Values], Tensor], function: Callable[[Tensor], Tensor]) -> Callable[[Values], Tensor]:
    return lambda values: function(of(values))


def _focused(gamma: float, logged: Tensor) -> Tensor:
    return -((1 - logged.exp()) ** gamma) * logged


def _minus_log(epsilon: float, value: Tensor) -> Tensor:
    return -(value + epsilon).log()


def _brier(name: str, labels: str, axis: int) -> Callable[[Values], Tensor]:
    def of(values: Values) -> Tensor:
        p = values[name].softmax(axis)
        hot = F.one_hot(values[labels].long(), p.shape[axis]).movedim(-1, axis).to(p.dtype)
        return (p - hot) ** 2

    return of
