"""Holds a sum of terms against the loss where it was not fitted: fresh values, other sizes, edges of domains."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from verifykit.comparison import rounding_tolerance, worst_difference
from verifykit.identify.losses.function import LossFunction, Values, gradient_of
from verifykit.identify.losses.reduction import Sum
from verifykit.spec.domain import Below, Boolean, Interval, OneOf, Real
from verifykit.spec.model import InputSpec

Evaluate = Callable[[Values], Tensor]


@dataclass(frozen=True)
class Confirmation:
    """Whether the sum is the loss at all points drawn; ``worst`` is the greatest relative error, ``edges`` the values
    at the edges of domains where the two differ after all.
    """

    holds: bool
    examples: int
    worst: float
    edges: tuple[str, ...] = ()


def confirm(
    function: LossFunction,
    whole: Sum,
    sizes: Sequence[Mapping[str, int]],
    outer: Callable[[Tensor], Tensor],
) -> Confirmation:
    """Compare value and gradient at fresh points of each size, and values at the edges; ``outer`` is applied to the
    sum.
    """
    examples, worst = 0, 0.0
    for seed, at in enumerate(sizes):
        for scale in (1.0, 0.1, 10.0):
            values = function.draw(at, 5000 + seed, scale)
            excess, error = _compared(function.total, _whole(whole, at, outer), values)
            if excess is None:  # not finite there
                continue
            examples += 1
            worst = max(worst, error)
            if excess > 1:
                return Confirmation(False, examples, worst)
    if examples == 0:
        return Confirmation(False, 0, 0.0)
    differing = []
    for text, values in edges(function, sizes[0]):
        fixed = {name: tensor.detach() for name, tensor in values.items()}
        try:
            excess, _ = _compared(function.total, _whole(whole, sizes[0], outer), fixed)
        except Exception:  # refused there
            continue
        examples += 1
        if excess is None or excess > 1:
            differing.append(text)
    return Confirmation(True, examples, worst, tuple(differing))


def edges(function: LossFunction, sizes: Mapping[str, int]) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Yield values at the edges of the domains of the inputs, one input at a time, and all inputs alike."""
    drawn = function.draw(sizes, 7000, 1.0)
    for entry in function.subject.spec.inputs:
        for text, value in _ends(entry):
            yield f"{entry.name} = {text}", {**drawn, entry.name: torch.full_like(drawn[entry.name], value)}
    reals = [entry for entry in function.subject.spec.inputs if entry.dtype == "float"]
    for entry in reals[1:]:
        if entry.domain == reals[0].domain and drawn[entry.name].shape == drawn[reals[0].name].shape:
            yield f"{entry.name} = {reals[0].name}", {**drawn, entry.name: drawn[reals[0].name]}
    if any(isinstance(entry.domain, Real) for entry in reals):
        yield "values of size 1000", function.draw(sizes, 7001, 1000.0)


def _ends(entry: InputSpec) -> list[tuple[str, float]]:
    match entry.domain:
        case Real():
            return [("0", 0.0)]
        case Boolean():
            return [("False", 0.0), ("True", 1.0)]
        case Below():
            return [("0", 0.0)]
        case OneOf(values):
            return [(f"{value:g}", value) for value in values]
        case Interval(low, high, closed_low, closed_high):
            ends = [(low, closed_low, 1.0), (high, closed_high, -1.0)]
            return [
                (f"{end:g}", end) if closed else (f"{end:g} within 1e-9", end + inward * 1e-9)
                for end, closed, inward in ends
                if abs(end) < float("inf")
            ]
    return []


def _whole(whole: Sum, sizes: Mapping[str, int], outer: Callable[[Tensor], Tensor]) -> Evaluate:
    return lambda values: outer(whole.value(values, sizes))


def _compared(one: Evaluate, other: Evaluate, values: Values) -> tuple[float | None, float]:
    """The error of ``other``, in the value and the gradient with respect to leaves, in units of the tolerance, and
    relative to the greatest value; ``None`` where ``one`` is not finite and ``other`` not the same.
    """
    narrow = {
        name: tensor.detach().float().requires_grad_(tensor.requires_grad) if tensor.is_floating_point() else tensor
        for name, tensor in values.items()
    }
    left, right = _answers(one, values), _answers(other, values)
    if not all(bool(tensor.isfinite().all()) for tensor in left):
        same = all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(left, right, strict=True))
        return (0.0 if same else None), 0.0
    excess, relative = 0.0, 0.0
    singles = [_singles(evaluate, narrow, wide) for evaluate, wide in ((one, left), (other, right))]
    for at, (expected, actual) in enumerate(zip(left, right, strict=True)):
        tolerance = sum(
            rounding_tolerance(wide[at], single[at], torch.float64)
            for wide, single in zip((left, right), singles, strict=True)
        )
        difference = worst_difference(actual, expected, tolerance)
        if difference is not None:
            excess = max(excess, difference.excess)
            relative = max(relative, difference.error / (float(expected.abs().max()) or 1.0))
    return excess, relative


def _answers(evaluate: Evaluate, values: Values) -> list[Tensor]:
    """The value, and the gradient with respect to each leaf."""
    total = evaluate(values)
    counts = [tensor.numel() for tensor in values.values() if tensor.requires_grad]
    return [total.detach(), *torch.split(gradient_of(total, values), counts)]


def _singles(evaluate: Evaluate, values: Values, wide: list[Tensor]) -> list[Tensor]:
    try:
        return _answers(evaluate, values)
    except Exception:  # it works in double precision only
        return [tensor.float() for tensor in wide]
