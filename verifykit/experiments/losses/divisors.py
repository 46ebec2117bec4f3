"""What the sum of a loss is divided by to give its mean, and what that follows."""

from dataclasses import dataclass
from itertools import cycle

from verifykit.experiments.losses.probe import Probe, Values, entry_of
from verifykit.experiments.observation import Loss, batch_of
from verifykit.spec.domain import Real

DRAWS = 6
# Samples in a batch: enough for some to be beyond a margin, and some not.
SAMPLES = 16
# A divisor that two draws give alike to this is one number: far above rounding, far below what a weight changes.
SAME = 1e-9


@dataclass(frozen=True)
class Divisors:
    """What 'sum' is divided by to give 'mean', at several draws: of everything, of predictions alone."""

    values: Values
    all: list[float]
    predictions: list[float]
    elements: int
    batch: int


def divisors_of(mean: Probe, whole: Probe) -> Divisors | None:
    """Return what the sum of ``whole`` is divided by to give ``mean``; ``None`` where a loss is zero or not finite."""
    batch = batch_of(mean.subject)
    sizes = {batch.symbol: SAMPLES} if batch is not None else {}
    draws = [mean.draw(sizes, seed=seed) for seed in range(DRAWS)]
    prediction = mean.loss.prediction
    # Of several sizes, where any are allowed: a margin is passed by some and not by others.
    sizes_of = cycle((1.0, 0.1, 3.0) if isinstance(entry_of(mean.subject, prediction).domain, Real) else (1.0,))
    moved = [{**draws[0], prediction: size * draw[prediction]} for size, draw in zip(sizes_of, draws, strict=False)]
    found: list[list[float]] = []
    for group in (draws, moved):
        pairs = [(float(whole.output(v).sum()), float(mean.output(v))) for v in group]
        if any(not abs(value) < float("inf") or not abs(total) > 0 or value == 0 for total, value in pairs):
            return None
        found.append([total / value for total, value in pairs])
    elements = whole.output(draws[0]).numel()
    return Divisors(
        draws[0], found[0], found[1], elements, draws[0][prediction].shape[0] if draws[0][prediction].ndim else 1
    )


def is_one(divisors: list[float]) -> bool:
    """Whether they are all the same."""
    return max(divisors) - min(divisors) <= SAME * max(map(abs, divisors))


def counts_elements(divisors: Divisors, values: Values, loss: Loss) -> bool:
    """Whether the divisor is a number of elements: the product of some of the prediction's sizes."""
    products = {1}
    for size in values[loss.prediction].shape:
        products |= {product * size for product in products}
    return any(abs(divisors.all[0] - product) <= SAME * product for product in products - {1})
