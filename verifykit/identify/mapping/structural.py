"""Arrangements that only rearrange: tensors transposed, reshaped, cut, concatenated, or left at their neutral value."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations, islice

import torch
from torch import Tensor, nn

from verifykit.identify.candidate import Arrangement
from verifykit.identify.facts import Facts
from verifykit.identify.mapping.assigning import Assignment, Filler, How, assignments
from verifykit.identify.mapping.filling import fillings
from verifykit.identify.mapping.slots import Packed, Slot, is_spare, packed_state
from verifykit.identify.mapping.sources import Source, sources
from verifykit.identify.mapping.wording import wording

# Ways to cut the target's tensors that are tried for what may be absent, in all, and those of them that come before
# permutations; tensors of which any may be absent.
_CUTS, _WAYS, _LIKELY, _ABSENT = 8, 16, 4, 6
# Plans that are tried with flipped kernels.
_FLIPPED = 2


def structural(facts: Facts, module: nn.Module) -> Iterator[Arrangement]:
    """Yield the rearrangements of the target's state into that of ``module``, the plainest first."""
    state, passed = packed_state(module), unasked(facts, module)
    if not state:
        if not any(source.needed for source in sources(facts)[0]):
            yield Arrangement(partial(_passed, passed))
        return
    heads = int(getattr(module, "num_heads", 1) or 1)
    flippable = list[Assignment]()
    for available in sources(facts):
        for plan in _plans(available, state, module, heads):
            yield _arrangement(plan, state, passed)
            if any(packed.spatial for packed in state):
                flippable.append(plan)
    for plan in flippable[:_FLIPPED]:
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
        for plan in _plans(fixed, state, module, 1):
            return _arrangement(plan, state, passed)
    return None


def _plans(available: Sequence[Source], state: Sequence[Packed], module: nn.Module, heads: int) -> Iterator[Assignment]:
    """Yield what fills ``state``; what is left out is absent."""
    least, most = (sum(math.prod(s.shape) for s in available if s.needed or spare) for spare in (False, True))
    slots = [slot for packed in state for slot in packed.slots]
    ways = list[tuple[list[Slot], list[Filler]]]()
    for absent in _absences(slots, module):
        kept = [slot for slot in slots if slot not in absent]
        if kept and least <= sum(math.prod(slot.shape) for slot in kept) <= most:
            ways += [(kept, fillers) for fillers in islice(fillings(available, kept, heads), _CUTS)]
            if len(ways) >= _WAYS:
                break
    likely, rest = ways[:_LIKELY], ways[_LIKELY:_WAYS]
    turns: list[tuple[How, list[tuple[list[Slot], list[Filler]]]]] = [
        ("by name", ways[:_WAYS]),
        ("in order", likely),
        ("permuted", likely),
        ("in order", rest),
        ("permuted", rest),
    ]
    for how, group in turns:
        for kept, fillers in group:
            yield from assignments(kept, fillers, how)


def _absences(slots: Sequence[Slot], module: nn.Module) -> Iterator[frozenset[Slot]]:
    """What the target may lack: nothing, then whole tensors, then parts of one."""
    yield frozenset()
    tensors: dict[str, list[Slot]] = {}
    for slot in reversed(slots):
        if slot.neutral is not None:
            tensors.setdefault(slot.tensor, []).append(slot)
    if len(tensors) > _ABSENT:
        return
    for count in range(1, len(tensors) + 1):
        for names in combinations(tensors, count):
            if is_spare(module, names):
                yield frozenset(slot for name in names for slot in tensors[name])
    for parts in tensors.values():
        for count in range(1, len(parts)):
            yield from map(frozenset, combinations(parts, count))


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
