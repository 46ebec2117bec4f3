"""Taking samples out of a batch, and comparing what a module gives for them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from verifykit.comparison import Difference, rounding_tolerance, worst_difference
from verifykit.experiments.observation import Batch, outputs_of
from verifykit.spec.subject import Subject


def can_take(subject: Subject, batch: Batch) -> bool:
    """Whether every input that has samples has them along one dimension of its own."""
    return all(
        batch.symbol not in entry.symbols or (axis is not None and list(entry.symbols).count(batch.symbol) == 1)
        for entry, axis in zip(subject.spec.inputs, batch.inputs, strict=True)
    )


def take(inputs: Sequence[Tensor], batch: Batch, samples: Sequence[int]) -> list[Tensor]:
    """Return ``inputs`` with these ``samples`` only; an input without samples stays as it is."""
    chosen = torch.tensor(samples, dtype=torch.long)
    return [
        tensor if axis is None else tensor.index_select(axis, chosen.to(tensor.device))
        for tensor, axis in zip(inputs, batch.inputs, strict=True)
    ]


def tolerances(subject: Subject, inputs: Sequence[Tensor]) -> dict[str, float]:
    """Return for each output what two correct evaluations in double precision may differ by; 0 where it is no float.

    The basis is :func:`verifykit.comparison.rounding_tolerance`.
    """
    double = outputs_of(subject, subject.build(), inputs)
    try:
        lowered = [t.float() if t.dtype is torch.float64 else t for t in inputs]
        lowered = [t.to(torch.complex64) if t.dtype is torch.complex128 else t for t in lowered]
        single = outputs_of(subject, subject.build(torch.float32), lowered)
    except Exception:  # for double precision only: the bound on the result alone remains
        single = double
    return {
        name: rounding_tolerance(value, single.get(name, value), torch.float64)
        if (value.is_floating_point() or value.is_complex()) and single.get(name, value).shape == value.shape
        else 0.0
        for name, value in double.items()
    }


def disagreement(actual: Tensor, expected: Tensor, tolerance: float) -> Difference | None:
    """Return the worst element of two tensors of one shape where it lies beyond the tolerance, else ``None``."""
    worst = worst_difference(actual, expected, tolerance)
    return worst if worst is not None and worst.excess > 1 else None


def mixes_samples(subject: Subject, batch: Batch) -> bool:
    """Return whether two samples get something else beside two more: they need others, or are no samples at all but the
    rows of one image.
    """
    if not can_take(subject, batch):
        return False
    inputs, module = subject.draw({batch.symbol: 4}), subject.build()
    bounds = tolerances(subject, inputs)
    few, many = (outputs_of(subject, module, take(inputs, batch, range(count))) for count in (2, 4))
    for (name, given), axis in zip(many.items(), batch.outputs, strict=True):
        if axis is None:
            continue
        expected = given.narrow(axis, 0, min(2, given.shape[axis]))
        if few[name].shape != expected.shape or disagreement(few[name], expected, 2 * bounds[name]) is not None:
            return True
    return False
