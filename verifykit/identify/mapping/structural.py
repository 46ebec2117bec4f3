"""Arrangements that only rearrange: tensors transposed, reshaped, cut, concatenated, or left at their neutral value."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from verifykit.identify.candidate import Arrangement
from verifykit.identify.facts import Facts
from verifykit.identify.mapping.assigning import Assignment
from verifykit.identify.mapping.planning import planned, plans
from verifykit.identify.mapping.slots import Packed, packed_state
from verifykit.identify.mapping.sources import sources
from verifykit.identify.mapping.wording import wording

# Plans that are tried with flipped kernels.
_FLIPPED = 2


def structural(facts: Facts, module: nn.Module) -> Iterator[Arrangement]:
    """Yield the rearrangements of the target's state into that of ``module``, the plainest first."""
    state, passed = packed_state(module), unasked(facts, module)
    if not state:
        if not any(source.needed for source in sources(facts)[0]):
            yield Arrangement(partial(_passed, passed))
        return
    flippable = list[Assignment]()
    for plan in plans(facts, state, module):
        yield _arrangement(plan, state, passed)
        if len(flippable) < _FLIPPED and any(packed.spatial for packed in state):
            flippable.append(plan)
    for plan in flippable:
        yield _arrangement(plan, state, passed, flipped=True)


def unasked(facts: Facts, module: nn.Module) -> dict[str, str]:
    """Return which buffer of the target stands for each buffer of ``module`` that is no running statistic: one of its
    name and shape. For what is left out the module's own value stands.
    """
    asked = {packed.name for packed in packed_state(module)}
    ours = dict(facts.module.named_buffers())
    return {
        name: name
        for name, buffer in module.named_buffers()
        if name not in asked and name in ours and ours[name].shape == buffer.shape
    }


def _passed(passed: Mapping[str, str], state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: state[source] for name, source in passed.items()}


def running(facts: Facts, module: nn.Module) -> Arrangement | None:
    """Return the plainest arrangement of what ``module`` holds beside its parameters, ``None`` where there is none."""
    state, passed = [packed for packed in packed_state(module) if not packed.parameter], unasked(facts, module)
    if not state:
        return Arrangement(partial(_passed, passed))
    for available in sources(facts):
        fixed = [source for source in available if not source.parameter]
        for plan in planned(fixed, state, module, 1):
            return _arrangement(plan, state, passed)
    return None


def _arrangement(
    plan: Assignment, state: Sequence[Packed], passed: Mapping[str, str], *, flipped: bool = False
) -> Arrangement:
    notes, deviations = wording(plan, state)
    if flipped:
        deviations = (*deviations, "the kernel is flipped: a true convolution")

    def arrange(held: Mapping[str, Tensor]) -> dict[str, Tensor]:
        made, fills = _passed(passed, held), {slot: f.piece.take(f.source.of(held)) for slot, f in plan.items()}
        like = next(iter(fills.values()))
        for packed in state:
            pieces = [
                fills[slot] if slot in fills else like.new_full(slot.shape, slot.neutral or 0.0)
                for slot in packed.slots
            ]
            tensor = pieces[0] if len(pieces) == 1 else torch.cat(pieces)
            made[packed.name] = tensor.flip([*range(2, tensor.ndim)]) if flipped and packed.spatial else tensor
        return made

    return Arrangement(arrange, notes, deviations)
