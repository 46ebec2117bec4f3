"""Whether the samples of a batch keep to themselves: by replacing samples, and by the gradient."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from verifykit.errors import one_line
from verifykit.experiments.influence import (
    HUGE,
    Calls,
    Change,
    along,
    beside_huge,
    changed,
    replaced,
    says_nothing,
    scaled,
)
from verifykit.experiments.observation import Batch
from verifykit.spec.dims import symbols
from verifykit.spec.outputs import learn_outputs
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors

# Gradients that cancel exactly in arithmetic without rounding leave up to this many units of the greatest.
GRADIENT_ROUNDING = 1024


@dataclass(frozen=True)
class Mixing:
    """Another sample had a say in ``change``: ``how`` is other values, huge ones, NaN, or the gradient."""

    changed_sample: int
    how: str
    change: Change


def kept_outputs(subject: Subject, batch: Batch) -> list[int]:
    """Return which outputs have one dimension for the samples, or one that holds several elements a sample."""
    laws = learn_outputs(subject)
    return [i for i, law in enumerate(laws) if sum(_counts(dim, batch.symbol) for dim in law.shape) == 1]


def why_undecided(subject: Subject, batch: Batch) -> str | None:
    """Return why replacing samples would show nothing: no output is finite, or the module refuses the replacements."""
    calls, inputs = Calls(subject), subject.draw()
    if says_nothing(calls(inputs)):
        return "no element of its outputs is a finite number"
    try:
        calls(with_sample(subject, batch, inputs, 0, "other values"))
    except Exception as error:
        return f"it refuses other values of one sample: {one_line(error)}"
    return None


def mixing_of(subject: Subject, batch: Batch) -> Mixing | None:
    """Return how one sample has a say in the output of another, in the plainest way; ``None`` if none has."""
    return _by_values(subject, batch, ("other values",)) or _by_gradient(subject, batch) or _by_values(
        subject, batch, ("huge values", "NaN")
    )  # fmt: skip


def mixes(subject: Subject, batch: Batch) -> bool:
    """Return whether other values of one sample change the output of another."""
    return _by_values(subject, batch, ("other values",)) is not None


def with_sample(subject: Subject, batch: Batch, inputs: Sequence[Tensor], sample: int, how: str) -> list[Tensor]:
    """Return ``inputs`` with one sample replaced."""
    others = list(subject.draw(seed=1))
    if how == "huge values":
        others = scaled(subject, others, HUGE)
    elif how == "NaN":
        others = [torch.full_like(t, torch.nan) if t.is_floating_point() else t for t in others]
    return replaced(inputs, others, _at(inputs, batch.inputs, [sample]))


def stays_in_sample(sample: int, count: int, before: Tensor, after: Tensor) -> bool:
    """Whether what differs lies in one sample along some dimension, or in its part of one that holds all samples."""
    differs = ~torch.isclose(before, after, rtol=1e-9, atol=0, equal_nan=True)
    if not differs.any():
        return True
    for axis, size in enumerate(before.shape):
        if size and size % count == 0:
            shape = (*before.shape[:axis], count, size // count, *before.shape[axis + 1 :])
            parts = differs.reshape(shape).movedim(axis, 0).flatten(1).any(1)
            if not any(bool(part) for i, part in enumerate(parts) if i != sample):
                return True
    return False


def _counts(dim: int | str, symbol: str) -> bool:
    return dim != "?" and symbol in symbols(dim)


def _at(tensors: Sequence[Tensor], axes: Sequence[int | None], samples: Sequence[int]) -> list[Tensor | None]:
    chosen = list[Tensor | None]()
    for tensor, axis in zip(tensors, axes, strict=True):
        if axis is None:
            chosen.append(None)
        else:
            there = torch.zeros(tensor.shape[axis], dtype=torch.bool)
            there[list(samples)] = True
            chosen.append(along(tensor, axis, there).to(tensor.device))
    return chosen


def _by_values(subject: Subject, batch: Batch, ways: Sequence[str]) -> Mixing | None:
    calls, inputs = Calls(subject), subject.draw()
    before, tolerances = calls(inputs), calls.tolerances(inputs)
    kept = kept_outputs(subject, batch)
    for how in ways:
        touched = dict[str, Tensor]()
        for sample in range(subject.spec.usual_sizes[batch.symbol]):
            try:
                after = calls(with_sample(subject, batch, inputs, sample, how))
            except Exception:  # values that it refuses show nothing
                continue
            watched = {name: _others(before[name], axis, sample) for name, axis in _single_axes(batch, kept, before)}
            allowed = beside_huge(tolerances) if how == "huge values" else tolerances
            change = changed(before, after, allowed, watched)
            if change is None and how == "other values":
                change = _touched_twice(batch, kept, before, after, tolerances, touched)
            if change is not None:
                return Mixing(sample, how, change)
    return None


def _single_axes(batch: Batch, kept: Sequence[int], outputs: dict[str, Tensor]) -> Iterator[tuple[str, int]]:
    for index, name in enumerate(outputs):
        axis = batch.outputs[index] if index in kept else None
        if axis is not None:
            yield name, axis


def _others(output: Tensor, axis: int, sample: int) -> Tensor:
    there = torch.arange(output.shape[axis], device=output.device) != sample
    return along(output, axis, there).expand(output.shape)


def _touched_twice(
    batch: Batch,
    kept: Sequence[int],
    before: dict[str, Tensor],
    after: dict[str, Tensor],
    tolerances: dict[str, float],
    touched: dict[str, Tensor],
) -> Change | None:
    """Of an output that holds all samples in one dimension of another size, an element that two of them change."""
    for index, name in enumerate(before):
        if index not in kept or batch.outputs[index] is not None or before[name].shape != after[name].shape:
            continue
        differs = (before[name] != after[name]) & ~(before[name].isnan() & after[name].isnan())
        change = changed({name: before[name]}, after, tolerances, {name: touched.get(name, differs) & differs})
        if change is not None and name in touched:
            return change
        touched[name] = touched.get(name, torch.zeros_like(differs)) | differs
    return None


def _by_gradient(subject: Subject, batch: Batch) -> Mixing | None:
    module, inputs = subject.build(), subject.draw()
    leaves = [t.clone().requires_grad_(t.is_floating_point()) for t in inputs]
    watched = [(t, axis) for t, axis in zip(leaves, batch.inputs, strict=True) if t.requires_grad and axis is not None]
    try:
        with torch.enable_grad(), seeded(subject.seed):
            outputs = named_tensors(subject.call(module, [t.clone() for t in leaves]))
        for name, axis in _single_axes(batch, kept_outputs(subject, batch), outputs):
            if not outputs[name].requires_grad or outputs[name].is_complex():
                continue
            for sample in range(outputs[name].shape[axis]):
                row = outputs[name].select(axis, sample)
                cotangent = torch.rand(row.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64) + 0.5
                found = torch.autograd.grad(
                    row, [t for t, _ in watched], cotangent.to(row), retain_graph=True, allow_unused=True
                )
                mixing = _strayed(name, sample, found, [a for _, a in watched])
                if mixing is not None:
                    return mixing
    except Exception:  # no gradient, or a backward that raises: other checks tell
        return None
    return None


def _strayed(name: str, sample: int, gradients: Sequence[Tensor | None], axes: Sequence[int]) -> Mixing | None:
    """The greatest gradient that the output of ``sample`` sends to another sample, if it is more than rounding."""
    present = [(g, axis) for g, axis in zip(gradients, axes, strict=True) if g is not None and g.numel()]
    if not all(bool(g.isfinite().all()) for g, _ in present):
        return None
    greatest = max((float(g.abs().max()) for g, _ in present), default=0.0)
    allowed = GRADIENT_ROUNDING * torch.finfo(torch.float64).eps * greatest
    for gradient, axis in present:
        watched = _others(gradient, axis, sample)
        change = changed({name: torch.zeros_like(gradient)}, {name: gradient}, {name: allowed}, {name: watched})
        if change is not None:
            return Mixing(change.index[axis], "gradient", Change(name, (sample,), change.difference))
    return None


def agrees_within(sample: int, count: int) -> partial[bool]:
    """Return :func:`stays_in_sample` for this sample of so many."""
    return partial(stays_in_sample, sample, count)
