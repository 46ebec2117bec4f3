"""The exponent of a noisy cost, averaged over models and windows, so that its bar holds what choosing them hides."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from verifykit.profiling.growth.least_squares import nonnegative

Floats = NDArray[np.float64]

GRID: Floats = np.round(np.arange(0.0, 4.51, 0.02), 2)
# Lower powers that may stand beside the leading one; each stays this far below it, lest the two be one.
LOWER = (1.0, 2.0)
APART = 0.5
# Points beyond the number of parameters.
SPARE = 2
# What the leading term is at least of the last three values: any power could lead if it were allowed to be invisible.
SEEN = 0.3
# By how much a unit of work may become dearer as the bytes that a step holds outgrow a cache, or what the processor
# finds addresses in; the sizes of such, in bytes, on machines of all kinds, and how steeply it does.
STEP = 5.0
STEPS = tuple((2.0**k, steepness) for k in range(18, 27) for steepness in (1.0, 3.0))
# What a step counts for in parameters: its place and its height.
STEP_PARAMETERS = 2
# A step of which so much lies before the window is none.
BEFORE = 0.6
# How much of the belief, before any time is taken, goes to the exponents with which counted work grows, and how far
# from them a time may be on that account.
BELIEF, WIDTH = 0.8, 0.05


@dataclass(frozen=True)
class Power:
    """``exponent`` between ``low`` and ``high`` with 95 % confidence; ``constant`` and ``coefficient * n**exponent``
    belong to the best model of the points from ``first`` on, which it fits to within ``scatter`` (relative).
    """

    exponent: float
    low: float
    high: float
    constant: float
    coefficient: float
    first: int
    scatter: float


@dataclass(frozen=True)
class _Model:
    """``c + a n**p``, from the point ``first`` on; with ``lower`` beside it ``b n**lower``, with ``step`` a cost per
    unit that rises around so many bytes held, so steeply.
    """

    first: int
    lower: float | None = None
    step: tuple[float, float] | None = None

    @property
    def parameters(self) -> int:
        return 3 + (self.lower is not None) + STEP_PARAMETERS * (self.step is not None)

    @property
    def handicap(self) -> float:
        """What Akaike's criterion charges for its parameters, and Jay and Neil for the points that it leaves out."""
        return 2 * (self.parameters + self.first)

    def columns(self, data: "_Data", exponents: Floats) -> Floats:
        """Its terms relative to the values: exponents by points by terms, the constant first, the leading one last."""
        window = slice(self.first, None)
        n, y = data.n[window], data.y[window]
        leading = n[None, :] ** exponents[:, None] / y
        terms = [np.broadcast_to(1 / y, leading.shape)]
        if self.lower is not None:
            terms.append(np.broadcast_to(n**self.lower / y, leading.shape))
        if self.step is not None:
            # With both coefficients at least 0, the cost of a unit rises by any factor from 1 to STEP.
            terms.append(leading)
            leading = leading * (1 + (STEP - 1) * data.beyond(*self.step)[window])
        return np.stack([*terms, leading], axis=-1)


@dataclass(frozen=True)
class _Data:
    n: Floats
    y: Floats
    sigma: Floats
    held: Floats | None

    def beyond(self, place: float, steepness: float) -> Floats:
        """How far each point is beyond a cache of ``place`` bytes, from 0 to 1."""
        assert self.held is not None
        beyond: Floats = 1 / (1 + (place / np.maximum(self.held, 1.0)) ** steepness)
        return beyond


@dataclass(frozen=True)
class _Fit:
    model: _Model
    misfit: Floats  # the sum of squares at each exponent of the grid

    def penalty(self, scale: float) -> float:
        return float(self.misfit.min()) / scale**2 + self.model.handicap


def leading_power(
    sizes: Sequence[int],
    values: Sequence[float],
    noise: Sequence[float],
    held: Sequence[int] | None = None,
    likely: Collection[float] = (),
) -> Power | None:
    """Return the leading exponent of ``values``, of which ``noise`` is the relative uncertainty of each; ``None`` where
    there are too few points or none of the models fits.

    ``held`` are the bytes that are in use at each size: with them, the cost of a unit of work may rise on the way.
    ``likely`` are exponents with which the work was counted to grow; they are believed unless the values say otherwise:
    where they are wrong, and the values few or noisy, the bar holds the truth less often than it says.

    Models with coefficients of at least 0 are fitted by relative least squares to every window that ends at the
    greatest size, and their results averaged with the weights ``exp(-(chi2 + 2 k + 2 cut) / 2)`` of Jay and Neil,
    Bayesian model averaging for analysis of lattice field theory results (2021): the bar holds what choosing a model
    and a window would hide. Where even the best misses by more than the noise, the noise is taken to be so large.
    """
    n, y, sigma = (np.asarray(numbers, dtype=np.float64) for numbers in (sizes, values, noise))
    data = _Data(n, y, sigma, None if held is None else np.asarray(held, dtype=np.float64))
    fits = _fitted([*_smooth(len(n)), *_stepped(data)], data)
    if not fits:
        return None
    scale = _scale(fits, len(n))
    best = min(fits, key=lambda fit: fit.penalty(scale))
    density = np.zeros_like(GRID)
    for fit in fits:
        likelihood = np.exp(-(fit.misfit - fit.misfit.min()) / (2 * scale**2))
        density += np.exp(-(fit.penalty(scale) - best.penalty(scale)) / 2) * likelihood / likelihood.sum()
    density *= _belief(likely)
    cumulative = (np.cumsum(density) - density / 2) / density.sum()
    low, middle, high = (float(np.interp(q, cumulative, GRID)) for q in (0.025, 0.5, 0.975))
    coefficients, _ = nonnegative(best.model.columns(data, np.array([middle])), 1 / sigma[best.model.first :])
    constant, leading = float(coefficients[0, 0]), float(coefficients[0, -1])
    return Power(middle, low, high, constant, leading, best.model.first, scale * float(np.median(sigma)))


def _belief(likely: Collection[float]) -> Floats:
    """Return what is believed of each exponent of the grid before any value is seen."""
    even = np.full_like(GRID, 1 / len(GRID))
    if not likely:
        return even
    near = np.exp(-(((GRID - np.array([*likely])[:, None]) / WIDTH) ** 2) / 2)
    believed: Floats = (1 - BELIEF) * even + BELIEF * (near / near.sum(axis=1, keepdims=True)).mean(axis=0)
    return believed


def _smooth(points: int) -> Iterator[_Model]:
    for lower in (None, *LOWER):
        model = _Model(0, lower)
        yield from (replace(model, first=first) for first in range(points - model.parameters - SPARE + 1))


def _stepped(data: _Data) -> Iterator[_Model]:
    if data.held is None:
        return
    for step in STEPS:
        beyond = data.beyond(*step)
        if beyond[-1] - beyond[0] < BEFORE / 2:
            continue
        for first in range(len(beyond) - 3 - STEP_PARAMETERS - SPARE + 1):
            if beyond[first] < BEFORE:
                yield _Model(first, step=step)


def _fitted(models: Sequence[_Model], data: _Data) -> list[_Fit]:
    fits = []
    for model in models:
        columns = model.columns(data, GRID)
        coefficients, misfit = nonnegative(columns, 1 / data.sigma[model.first :])
        rest = coefficients[:, :-1] * columns[:, -3, :-1]
        lesser = rest.sum(axis=1) if model.step is None else rest[:, 0]
        allowed = (lesser <= 1 - SEEN) & ((model.lower or -APART) + APART <= GRID)
        misfit = np.where(allowed, misfit, np.inf)
        if np.isfinite(misfit.min()):
            fits.append(_Fit(model, misfit))
    return fits


def _scale(fits: Sequence[_Fit], points: int) -> float:
    """Return by how much the noise must be larger than it was said to be for the best of the models to fit."""
    scale = 1.0
    for _ in range(3):
        best = min(fits, key=lambda fit: fit.penalty(scale))
        spare = points - best.model.first - best.model.parameters
        scale = max(1.0, float(np.sqrt(best.misfit.min() / spare)))
    return scale
