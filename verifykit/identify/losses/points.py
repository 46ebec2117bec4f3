"""The points at which a loss is looked at."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

import torch

from verifykit.identify.losses.function import LossFunction, Point

# Entries of a gradient at one point, below which larger sizes are drawn; and points that are drawn at most.
ENTRIES = 300
MOST = 8
FACTORS = (1, 2, 3, 4, 6, 9, 16, 32, 64)

# What free reals are multiplied by, in turn: functions that agree near zero part further out.
SCALES = (1.0, 2.5, 0.4, 1.6)


def sizes_that_work(function: LossFunction) -> list[dict[str, int]]:
    """Return sizes that the loss takes: those to fit at first, then each size changed alone, and all of them. Without
    free sizes there is one.
    """
    usual = function.subject.spec.usual_sizes
    factor = next((k for k in FACTORS if _entries(function, _times(usual, k)) >= ENTRIES), FACTORS[-1])
    tried = [_times(usual, factor), usual]
    tried += [{**usual, name: size + step} for name, size in usual.items() for step in (3, 1)]
    tried.append({name: size + 2 + rank for rank, (name, size) in enumerate(usual.items())})
    return [sizes for at, sizes in enumerate(tried) if sizes not in tried[:at] and _is_taken(function, sizes)]


def fitting_points(function: LossFunction, sizes: Mapping[str, int], entries: int) -> list[Point]:
    """Return points of one size at which the gradient has at least so many ``entries`` in all, three or more."""
    points: list[Point] = []
    for seed in range(MOST):
        point = function.at(sizes, seed, SCALES[seed % len(SCALES)])
        if _is_finite(point):
            points.append(point)
        if len(points) >= 3 and sum(len(point.gradient) for point in points) >= entries:
            break
    return points


def other_points(function: LossFunction, sizes: Sequence[Mapping[str, int]]) -> Iterator[Point]:
    """Yield points at each of ``sizes`` where the loss is finite, two of each: what is proportional at one point may
    not be at two.
    """
    for seed, (at, scale) in enumerate(product(sizes, (1.0, 1.7))):
        point = function.at(at, 1000 + seed, scale)
        if _is_finite(point):
            yield point


def held_back(function: LossFunction, points: Sequence[Point]) -> LossFunction:
    """Return the loss with those inputs held through which no gradient passes, though the value depends on them."""
    blocks = [point.blocks() for point in points]
    silent = [name for name in blocks[0] if all(float(block[name].abs().max()) == 0 for block in blocks)]
    held = []
    for name in silent:
        point = points[0]
        other = {**point.values, name: function.draw(point.sizes, 999, point.scale)[name]}
        with torch.no_grad():
            if float(function.total(other, point.seed)) != point.total:
                held.append(name)
    return replace(function, held=(*function.held, *held))


def _is_finite(point: Point) -> bool:
    return math.isfinite(point.total) and bool(point.gradient.isfinite().all())


def _is_taken(function: LossFunction, sizes: Mapping[str, int]) -> bool:
    try:
        with torch.no_grad():
            return bool(function.total(function.draw(sizes, 0, 1.0)).isfinite())
    except Exception:  # not a size for this loss
        return False


def _times(sizes: Mapping[str, int], factor: int) -> dict[str, int]:
    return {name: factor * size for name, size in sizes.items()}


def _entries(function: LossFunction, sizes: Mapping[str, int]) -> int:
    """How many real numbers the loss is a function of; none where such values cannot be drawn."""
    return sum(tensor.numel() for tensor in function.draw(sizes, 0, 1.0).values() if tensor.requires_grad)
