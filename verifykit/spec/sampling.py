"""One plain random tensor from the domain of an input: the everyday values that a module meets."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from verifykit.spec.dims import evaluate
from verifykit.spec.domain import Below, Boolean, Interval, OneOf, Real, Simplex, Sorted
from verifykit.spec.model import InputSpec

COMPLEX_OF = {
    torch.float64: torch.complex128,
    torch.float32: torch.complex64,
    torch.float16: torch.complex32,
    torch.bfloat16: torch.complex64,
}


def sample(
    entry: InputSpec,
    shape: tuple[int, ...],
    sizes: Mapping[str, int],
    dtype: torch.dtype,
    generator: torch.Generator,
) -> Tensor:
    """Return a tensor of ``shape`` from the domain of ``entry``, drawn with ``generator`` in double precision and
    rounded to ``dtype`` (its complex partner for a complex input).

    Reals are standard normal, sorted ones too; bounded intervals, integers and sets uniform, half lines exponential,
    simplices uniform.
    """
    match entry.domain:
        case Boolean():
            return torch.rand(shape, generator=generator) < 0.5
        case Below(bound):
            return torch.randint(0, max(evaluate(bound, sizes), 1), shape, generator=generator)
        case Interval() as interval if entry.dtype == "long":
            low, high = integer_range(interval)
            return torch.randint(low, high + 1, shape, generator=generator)
        case Interval() as interval:
            return _in_interval(interval, shape, generator).to(dtype)
        case OneOf(choices):
            chosen = torch.randint(0, len(choices), shape, generator=generator)
            numbers = torch.tensor(choices, dtype=torch.float64)[chosen]
            return numbers.long() if entry.dtype == "long" else numbers.to(dtype)
        case Sorted():
            unsorted = torch.randn(shape, generator=generator, dtype=torch.float64)
            return (unsorted.sort(-1).values if shape else unsorted).to(dtype)
        case Simplex():
            weights = torch.empty(shape, dtype=torch.float64).exponential_(generator=generator)
            return (weights / weights.sum(-1, keepdim=True)).to(dtype)
        case Real():
            kind = torch.complex128 if entry.dtype == "complex" else torch.float64
            values = torch.randn(shape, generator=generator, dtype=kind)
            return values.to(COMPLEX_OF[dtype] if entry.dtype == "complex" else dtype)


def integer_range(interval: Interval) -> tuple[int, int]:
    """Return the least and greatest integer of ``interval``; an infinite end is cut at 100 from the other."""
    low = math.ceil(interval.low) if math.isfinite(interval.low) else math.floor(interval.high) - 100
    high = math.floor(interval.high) if math.isfinite(interval.high) else low + 100
    low += not interval.closed_low and low == interval.low
    high -= not interval.closed_high and high == interval.high
    return low, high


def _in_interval(interval: Interval, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Stay off the very ends by a hundredth of the width: a domain's edge is the business of checks, not of samples."""
    low, high = interval.low, interval.high
    if math.isfinite(low) and math.isfinite(high):
        unit = torch.rand(shape, generator=generator, dtype=torch.float64)
        return low + (high - low) * (0.01 + 0.98 * unit)
    if not math.isfinite(low) and not math.isfinite(high):
        return torch.randn(shape, generator=generator, dtype=torch.float64)
    away = 0.01 + torch.empty(shape, dtype=torch.float64).exponential_(generator=generator)
    return low + away if math.isfinite(low) else high - away
