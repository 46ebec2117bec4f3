"""Which positions of an input have influence on which elements of the outputs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from verifykit.experiments.observation import Batch, outputs_of
from verifykit.experiments.shapes.batches import can_take, take
from verifykit.spec.domain import Real
from verifykit.spec.subject import Subject

# A change by less than this share of the greatest output is rounding, in double precision.
UNNOTICED = 1e-10
# Real numbers this large pass any maximum, and any minimum with the other sign.
LARGE = 20.0


@dataclass(frozen=True)
class Place:
    """Where other values are put: the input by its index, and its axes along which positions are told apart."""

    index: int
    axes: tuple[int, ...]


def is_batched(subject: Subject, batch: Batch | None, place: Place) -> bool:
    """Whether one call tells the influence of many positions, each in a sample of its own."""
    return (
        batch is not None
        and can_take(subject, batch)
        and batch.inputs[place.index] is not None
        and None not in batch.outputs
    )


def influence(
    subject: Subject,
    module: nn.Module,
    batch: Batch | None,
    sizes: Mapping[str, int],
    place: Place,
    positions: Sequence[tuple[int, ...]],
    *,
    draws: int = 3,
    seed: int = 0,
) -> list[Tensor]:
    """Return one Boolean tensor for each output: which of its elements change as other values stand at each of
    ``positions``. Its first dimension counts positions; where these were told apart by samples, the dimension of the
    output's batch is gone. The other values at a position are drawn ``draws`` times, all the rest once, with ``seed``.
    What the module raises passes through.
    """
    inputs, count = list(subject.draw(sizes, seed=seed)), len(positions)
    if is_batched(subject, batch, place):
        assert batch is not None
        alike = take(inputs, batch, [0] * count)
        before = list(outputs_of(subject, module, alike).values())
        found = [torch.zeros_like(value, dtype=torch.bool) for value in before]
        at = (torch.arange(count), *torch.tensor(positions).T)
        for other in _others(subject, sizes, place.index, range(seed + 1, seed + 1 + draws)):
            changed = alike[place.index].clone()
            spread = other.index_select(batch.inputs[place.index] or 0, torch.zeros(count, dtype=torch.long))
            axes = (batch.inputs[place.index] or 0, *place.axes)
            front, given = (tensor.movedim(axes, tuple(range(len(axes)))) for tensor in (changed, spread))
            front[at] = given[at]
            after = outputs_of(subject, module, _with(alike, place.index, changed)).values()
            found = [mark | _changed(b, a) for mark, b, a in zip(found, before, after, strict=True)]
        return [mark.movedim(axis or 0, 0) for mark, axis in zip(found, batch.outputs, strict=True)]
    before = list(outputs_of(subject, module, inputs).values())
    marks = [torch.zeros((count, *value.shape), dtype=torch.bool) for value in before]
    for other in _others(subject, sizes, place.index, range(seed + 1, seed + 1 + draws)):
        for number, position in enumerate(positions):
            changed = substituted(inputs[place.index], other, place, position)
            after = outputs_of(subject, module, _with(inputs, place.index, changed)).values()
            for mark, b, a in zip(marks, before, after, strict=True):
                mark[number] |= _changed(b, a)
    return marks


def substituted(tensor: Tensor, other: Tensor, place: Place, position: Sequence[int]) -> Tensor:
    """Return ``tensor`` with the values of ``other`` at one position."""
    changed = tensor.clone()
    at: list[slice | int] = [slice(None)] * tensor.ndim
    for axis, where in zip(place.axes, position, strict=True):
        at[axis] = where
    changed[tuple(at)] = other[tuple(at)]
    return changed


def _others(subject: Subject, sizes: Mapping[str, int], index: int, seeds: Iterable[int]) -> Iterator[Tensor]:
    """Other values of the domain; where that is all real numbers, of either sign and large as well."""
    entry = subject.spec.inputs[index]
    for number, seed in enumerate(seeds):
        drawn = subject.draw(sizes, seed=seed)[index]
        if isinstance(entry.domain, Real) and entry.dtype == "float" and number > 0:
            drawn = (1 if number % 2 else -1) * LARGE * (1 + drawn.abs())
        yield drawn


def _with(inputs: Sequence[Tensor], index: int, changed: Tensor) -> list[Tensor]:
    return [*inputs[:index], changed, *inputs[index + 1 :]]


def _changed(before: Tensor, after: Tensor) -> Tensor:
    wide = torch.complex128 if before.is_complex() else torch.float64
    one, other = before.to(wide), after.to(wide)
    same = (one == other) | (one.isnan() & other.isnan())
    finite = one.abs()[one.isfinite()]
    scale = float(finite.max()) if finite.numel() else 0.0
    return ~same & ~((one - other).abs() <= UNNOTICED * scale)
