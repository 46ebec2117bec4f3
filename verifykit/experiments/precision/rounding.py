"""Rounding error held against what it is due to: a perturbation of inputs and parameters by one unit of rounding.

An algorithm that is backward stable errs by no more than a modest multiple of that (N. J. Higham, Accuracy and
Stability of Numerical Algorithms, 2002, chapter 1): the condition of the problem is measured, never guessed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from verifykit.comparison import unravelled
from verifykit.experiments.precision.regimes import Regime
from verifykit.experiments.precision.runs import DOUBLE, twin_in_double
from verifykit.gradients.function import Function, Tensors
from verifykit.results import Location
from verifykit.spec.functional import pure_call
from verifykit.spec.sampling import COMPLEX_OF
from verifykit.spec.strategies import cast
from verifykit.spec.subject import Subject
from verifykit.tracing import Step, trace

PERTURBATIONS = 2
# By what share of it an error must differ between neighbouring points to be one of rounding.
VARIES = 0.2


@dataclass(frozen=True)
class Error:
    """The error of one output: ``due`` is what a rounding error of the inputs and parameters would cause, ``scale``
    the size of the output; ``varies`` by how much the error differs between neighbouring points.
    """

    index: int
    element: tuple[int, ...]
    computed: float
    correct: float
    error: float
    due: float
    scale: float
    varies: float
    vanishes: bool
    eps: float

    @property
    def excess(self) -> float:
        """The error in units of what was to be expected."""
        return self.error / (self.due + self.eps * self.scale) if self.error else 0.0

    @property
    def is_rounding(self) -> bool:
        """Whether it differs from point to point, as rounding does and a decision that falls otherwise does not; or
        whether nothing at all is left of the result.
        """
        return self.varies > VARIES * self.error or self.vanishes


def errors(
    subject: Subject,
    regime: Regime,
    dtype: torch.dtype,
    sizes: Sequence[float] = (),
    *,
    units: float = 1.0,
    draws: int = PERTURBATIONS,
    limit: float = 0.0,
) -> list[Error] | None:
    """Return the error of every output in ``dtype`` at ``regime``; ``None`` where a value there is not finite, or the
    two calls differ in their outputs. What the module raises passes through.

    ``sizes`` are those of the outputs for everyday inputs; what is due is the most that ``draws`` perturbations by so
    many units of rounding cause. Only where an error exceeds ``limit`` at the first point are the others looked at.
    """
    eps = torch.finfo(dtype).eps
    low = subject.build(dtype, training=regime.training)
    high = twin_in_double(subject, dtype, training=regime.training)
    generator = torch.Generator().manual_seed(subject.seed + 1)
    inputs = cast(regime.inputs, dtype, subject.device)
    due = due_to(subject, high, cast(inputs, DOUBLE, subject.device), units * eps, draws, generator)
    measured, found = list[tuple[Tensors, Tensors]](), list[Error]()
    for point in regime.points:
        at = cast(point, dtype, subject.device)
        pair = (values_of(subject, low, at), values_of(subject, high, cast(at, DOUBLE, subject.device)))
        if not _comparable(*pair):
            return None
        measured.append(pair)
        found = [
            _error(index, [(one[index], other[index]) for one, other in measured], due[index], eps, regime, sizes)
            for index, exact in enumerate(pair[1])
            if exact.numel()
        ]
        if all(error.excess <= limit for error in found):
            break
    return found


def due_to(
    subject: Subject,
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    relative: float,
    draws: int,
    generator: torch.Generator,
) -> Tensors:
    """Return the most that every element of the outputs changes when all inputs and parameters change by ``relative``,
    up or down at random, in so many draws.
    """
    function, point = _function(subject, module, inputs)
    before = function(point)
    due = [torch.zeros_like(value.abs()) for value in before]
    for _ in range(draws):
        for index, after in enumerate(function(_moved(point, relative, generator))):
            due[index] = torch.maximum(due[index], (after - before[index]).abs().nan_to_num(torch.inf))
    return due


def _error(
    index: int,
    measured: Sequence[tuple[Tensor, Tensor]],
    due: Tensor,
    eps: float,
    regime: Regime,
    sizes: Sequence[float],
) -> Error:
    gaps = [low.to(high.dtype) - high for low, high in measured]
    magnitudes = torch.stack([gap.abs() for gap in gaps])
    typical = magnitudes.median(0).values
    at = int(typical.flatten().argmax())
    spread = max(float((gap - gaps[0]).abs().flatten()[at]) for gap in gaps)
    low, high = measured[0]
    own = float(high.abs().max())
    scale = max(own, sizes[index]) if regime.absolute and index < len(sizes) else own
    element = unravelled(at, high.shape)
    computed, correct = low.flatten()[at], high.flatten()[at]
    return Error(
        index,
        element,
        float(computed.abs() if computed.is_complex() else computed),
        float(correct.abs() if correct.is_complex() else correct),
        float(typical.flatten()[at]),
        float(due.max()),
        scale,
        spread,
        _vanishes(measured, at),
        eps,
    )


def _vanishes(measured: Sequence[tuple[Tensor, Tensor]], at: int) -> bool:
    """Whether an element is zero at every point, and should nowhere be, nor so small that it could not be held."""
    least = torch.finfo(measured[0][0].dtype).tiny * 1e6
    pairs = [(float(low.flatten()[at].abs()), float(high.flatten()[at].abs())) for low, high in measured]
    return all(low == 0 and high > least for low, high in pairs)


def lost(subject: Subject, regime: Regime, dtype: torch.dtype) -> tuple[int, tuple[int, ...], float, float] | None:
    """Return the first output, its element, value and correct value, that is not finite in ``dtype`` though what is
    correct, for parameters and inputs of that type, is at most half of its greatest number.
    """
    inputs = cast(regime.inputs, dtype, subject.device)
    low = values_of(subject, subject.build(dtype, training=regime.training), inputs)
    high = values_of(
        subject, twin_in_double(subject, dtype, training=regime.training), cast(inputs, DOUBLE, subject.device)
    )
    most = torch.finfo(dtype).max / 2
    for index, (one, other) in enumerate(zip(low, high, strict=False)):
        if one.shape != other.shape:
            return None
        bad = ~one.isfinite() & other.isfinite() & (other.abs() <= most)
        if bool(bad.any()) and not one.is_complex():
            at = int(bad.flatten().int().argmax())
            element = unravelled(at, one.shape)
            return index, element, float(one.flatten()[at]), float(other.flatten()[at])
    return None


def sizes_of(subject: Subject, regime: Regime) -> list[float]:
    """Return the greatest magnitude in each output, in double precision."""
    values = values_of(subject, subject.build(training=regime.training), regime.inputs)
    return [float(value.abs().nan_to_num(0, 0, 0).max()) if value.numel() else 0.0 for value in values]


def where_digits_go(subject: Subject, regime: Regime, dtype: torch.dtype) -> tuple[str, Location | None]:
    """Return the operation, and its line, whose result is first about as inexact as the outputs become."""
    inputs = cast(regime.inputs, dtype, subject.device)
    low = _steps(subject, subject.build(dtype, training=regime.training), inputs)
    high = _steps(
        subject, twin_in_double(subject, dtype, training=regime.training), cast(inputs, DOUBLE, subject.device)
    )
    inexact = [
        (_relative(one, other), one)
        for one, other in zip(low, high, strict=False)
        if one.name == other.name and one.location is not None
    ]
    if not inexact:
        return "", None
    worst = max(size for size, _ in inexact)
    step = next(step for size, step in inexact if size >= 0.1 * worst)
    return step.name.rpartition(".")[2].strip("_"), step.location


def _steps(subject: Subject, module: nn.Module, inputs: tuple[Tensor, ...]) -> list[Step]:
    return trace(partial(values_of, subject, module, inputs), keep_values=True)


def _relative(low: Step, high: Step) -> float:
    worst = 0.0
    for one, other in zip(low.values, high.values, strict=False):
        if one.shape == other.shape and other.is_floating_point() and one.is_floating_point() and other.numel():
            size = float(other.abs().max())
            gap = float((one.double() - other).abs().nan_to_num(torch.inf).max())
            worst = max(worst, gap / size if size else 0.0)
    return worst


def _function(subject: Subject, module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Function, Tensors]:
    call = pure_call(subject, module, inputs)
    return Function(call, call.names, subject.seed), call.point


def values_of(subject: Subject, module: nn.Module, inputs: tuple[Tensor, ...]) -> Tensors:
    """Return the floating-point and complex outputs, flat, for these inputs and the parameters as they are."""
    function, point = _function(subject, module, inputs)
    return function(point)


def _comparable(low: Tensors, high: Tensors) -> bool:
    if len(low) != len(high) or any(a.shape != b.shape for a, b in zip(low, high, strict=True)):
        return False
    return all(bool(tensor.isfinite().all()) for tensor in (*low, *high))


def _moved(tensors: Sequence[Tensor], eps: float, generator: torch.Generator) -> Tensors:
    """Multiply every floating-point number by 1 plus or minus ``eps``."""

    def one(tensor: Tensor) -> Tensor:
        if not (tensor.is_floating_point() or tensor.is_complex()):
            return tensor.clone()
        signs = torch.randint(0, 2, tensor.shape, generator=generator) * 2 - 1
        wide = tensor.to(COMPLEX_OF[DOUBLE] if tensor.is_complex() else DOUBLE)
        return (wide * (1 + eps * signs.to(tensor.device))).to(tensor.dtype)

    return [one(tensor) for tensor in tensors]
