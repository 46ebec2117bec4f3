"""Values near a point, in directions that the domains of the inputs allow, and the point as single precision has it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from verifykit.experiments.numerics.points import Values
from verifykit.spec.domain import Interval, OneOf, Simplex, Sorted
from verifykit.spec.model import InputSpec
from verifykit.spec.subject import Subject


def near(subject: Subject, point: Values, step: float, generator: torch.Generator) -> Values:
    """Return values at a relative distance of about ``step`` from ``point`` in a random direction that the domains
    allow; integers and booleans stay.
    """
    return tuple(_moved(entry, value, step, generator) for entry, value in zip(subject.spec.inputs, point, strict=True))


def single(values: Sequence[Tensor]) -> Values:
    """Return double-precision values as single precision has them, so that both see the same numbers."""
    return tuple(
        value.to(torch.complex64).to(torch.complex128)
        if value.is_complex()
        else value.float().double()
        if value.is_floating_point()
        else value
        for value in values
    )


def _moved(entry: InputSpec, value: Tensor, step: float, generator: torch.Generator) -> Tensor:
    if not (value.is_floating_point() or value.is_complex()) or isinstance(entry.domain, OneOf) or not value.numel():
        return value
    scale = step * max(1.0, float(value.abs().max()))
    match entry.domain:
        case Simplex():
            other = torch.empty(value.shape, dtype=value.dtype).exponential_(generator=generator)
            return (1 - step) * value + step * other / other.sum(-1, keepdim=True)
        case Interval(low, high):
            unit = torch.rand(value.shape, generator=generator, dtype=value.dtype)
            width = min(scale, (high - low) / 4)
            inward = torch.where(value - low < high - value, 1.0, -1.0)
            return value + inward * width * (0.1 + 0.9 * unit)
        case Sorted():
            noise = torch.randn(value.shape, generator=generator, dtype=value.dtype)
            return (value + scale * noise).sort(-1).values
        case _:
            return value + scale * torch.randn(value.shape, generator=generator, dtype=value.dtype)
