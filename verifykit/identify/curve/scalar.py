"""An elementwise module as a function of one real number."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from verifykit.identify.facts import Facts
from verifykit.spec.domain import Interval
from verifykit.spec.model import Spec
from verifykit.spec.subject import Subject, named_tensors

Array = npt.NDArray[np.float64]
Function = Callable[[Array], Array]

# Two evaluations of one number may differ by what a vectorised and a plain exponential do.
_ROUNDING = 1e-11
_MASKS = 3
_ENOUGH = 64
_FINITE = 0.25


def scalar_function(facts: Facts) -> Function | None:
    """Return the function that a subject applies to each element in eval mode, ``None`` where it applies none: its
    output has another shape, an element depends on others or on its place, or two calls differ.

    Whether it is the same everywhere is asked with moved parameters, what it is with those that the module starts with.
    """
    entries, outputs = facts.subject.spec.inputs, list(facts.outputs.values())
    if len(entries) != 1 or entries[0].dtype != "float" or len(outputs) != 1:
        return None
    if outputs[0].shape != facts.inputs[0].shape or not outputs[0].is_floating_point() or outputs[0].numel() == 0:
        return None
    try:
        if not _is_elementwise(facts, Elements(facts.subject.spec, _called(facts.subject, facts.module))):
            return None
        return _within_domain(_economical(facts), facts.subject)
    except Exception:  # it takes no other values or sizes than the usual ones
        return None


@dataclass(frozen=True)
class Elements:
    """Feeds any number of values to ``call`` as elements of the one input of ``spec``, at once if its batch can grow;
    if ``lean``, in a shape that has room for no others.

    Raises whatever ``call`` raises, and ValueError where it returns another shape.
    """

    spec: Spec
    call: Callable[[Tensor], Tensor]
    lean: bool = False

    def __call__(self, x: Array) -> Array:
        """Return the output at each of ``x``, float64, without gradients."""
        if not x.size:
            return x
        shape = self._shape(x.size)
        padded = np.concatenate([x, np.full(-x.size % math.prod(shape), x[0])])
        parts = [self._part(part, shape) for part in padded.reshape(-1, math.prod(shape))]
        return np.concatenate(parts)[: x.size]

    def _part(self, part: Array, shape: tuple[int, ...]) -> Array:
        with torch.no_grad():
            output = self.call(torch.tensor(part, dtype=torch.float64).reshape(shape))
        if output.shape != shape:
            raise ValueError("an elementwise output has the shape of the input")
        return output.detach().to(torch.float64).reshape(-1).numpy().copy()

    def _shape(self, elements: int) -> tuple[int, ...]:
        """The usual shape, its first free symbol doubled until it holds ``elements`` or does not grow."""
        sizes, entry = self.spec.usual_sizes, self.spec.inputs[0]
        if self.lean:
            return (elements, *[1] * (len(entry.shape) - 1))
        shape = self.spec.shape(entry, sizes)
        while math.prod(shape) < elements and sizes:
            sizes[self.spec.free[0]] *= 2
            grown = self.spec.shape(entry, sizes)
            if math.prod(grown) <= math.prod(shape):
                break
            shape = grown
        return shape


def _called(subject: Subject, module: nn.Module) -> Callable[[Tensor], Tensor]:
    def call(x: Tensor) -> Tensor:
        (output,) = named_tensors(subject.call(module, [x])).values()
        return output

    return call


def _economical(facts: Facts) -> Function:
    """The function of a module as it starts, in lean shapes where it takes these: of images few elements are needed."""
    spec, call = facts.subject.spec, _called(facts.subject, facts.subject.build())
    usual, lean = Elements(spec, call), Elements(spec, call, lean=True)
    x = _drawn(facts.subject, range(1))
    try:
        return lean if _same(lean(x), usual(x)) else usual
    except Exception:
        return usual


def _is_elementwise(facts: Facts, function: Function) -> bool:
    usual = facts.inputs[0].numel()
    draws = 1 + _ENOUGH // usual
    x, others = (_drawn(facts.subject, range(start, start + draws)) for start in (0, draws))
    y = function(x)
    if not np.isfinite(y).mean() > _FINITE:
        return False
    generator = np.random.default_rng(facts.subject.seed)
    order = generator.permutation(x.size)
    larger = function(np.concatenate([x, others]))[: x.size]
    if not (_same(function(x), y) and _same(function(x[order]), y[order]) and _same(larger, y)):
        return False
    for _ in range(_MASKS):
        kept = generator.random(x.size) < 0.5
        if not _same(function(np.where(kept, x, others))[kept], y[kept]):
            return False
    return True


def _drawn(subject: Subject, seeds: range) -> Array:
    return np.concatenate([subject.draw(seed=seed)[0].to(torch.float64).reshape(-1).numpy() for seed in seeds])


def _same(one: Array, other: Array) -> bool:
    finite = other[np.isfinite(other)]
    scale = float(np.median(np.abs(finite))) if finite.size else 0.0
    return bool(np.allclose(one, other, rtol=_ROUNDING, atol=_ROUNDING * scale, equal_nan=True))


def _within_domain(function: Function, subject: Subject) -> Function:
    """``function``, or where it raises outside the domain of its input, the same with NaN out there."""
    domain = subject.spec.inputs[0].domain
    try:
        function(np.array([-1e8, -2.0, 0.0, 2.0, 1e8]))
        return function
    except Exception:
        if not isinstance(domain, Interval):
            raise
    low, high = domain.low, domain.high
    anywhere = 0.5 * (low + high) if math.isfinite(low + high) else (low + 1 if math.isfinite(low) else high - 1)

    def restricted(x: Array) -> Array:
        inside = (x > low) & (x < high)
        if domain.closed_low:
            inside |= x == low
        if domain.closed_high:
            inside |= x == high
        return np.where(inside, function(np.where(inside, x, anywhere)), np.nan)

    return restricted
