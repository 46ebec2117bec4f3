"""Plans: which piece of the target's state fills which part of a candidate's, the plainest first."""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, combinations, count, islice

from torch import nn

from verifykit.identify.facts import Facts
from verifykit.identify.mapping.assigning import Assignment, Filler, How, assignments
from verifykit.identify.mapping.filling import fillings
from verifykit.identify.mapping.layouts import PERMUTED, TRANSPOSED
from verifykit.identify.mapping.slots import Packed, Slot, is_spare, turns_convolution
from verifykit.identify.mapping.sources import Source, joined, sources

# Ways to cut the target's tensors that are tried for what may be absent, in all, and those of them that come before
# permutations; tensors of which any may be absent.
_CUTS, _WAYS, _LIKELY, _ABSENT = 8, 16, 4, 6


def plans(facts: Facts, state: Sequence[Packed], module: nn.Module) -> Iterable[Assignment]:
    """Return the plans for ``state``, that of ``module``; what they leave out is absent.

    They are the same for all candidates of one kind with such a state, whatever else these are told, and are worked
    out once.
    """
    heads = max(int(getattr(part, "num_heads", 1)) for part in module.modules())
    kind = f"{type(module).__module__}.{type(module).__qualname__}"
    turned = turns_convolution(module)

    def found() -> Iterator[Assignment]:
        known = sources(facts)
        for available in chain(known, joined(known[0])):
            for plan in planned(available, state, module, heads):
                if not (turned and any(filler.piece.note in (TRANSPOSED, PERMUTED) for filler in plan.values())):
                    yield plan

    return facts.subject.once(f"plans for {kind} {turned} {heads} {state!r}", lambda: _Recalled(found()))


class _Recalled:
    """What an iterator yields, worked out once and for as far as anybody has asked."""

    def __init__(self, plans: Iterator[Assignment]) -> None:
        self.plans = plans
        self.known: list[Assignment] = []

    def __iter__(self) -> Iterator[Assignment]:
        for at in count():
            if at == len(self.known):
                plan = next(self.plans, None)
                if plan is None:
                    return
                self.known.append(plan)
            yield self.known[at]


def planned(
    available: Sequence[Source], state: Sequence[Packed], module: nn.Module, heads: int
) -> Iterator[Assignment]:
    """Yield the plans that take what is ``available``; what they leave out of ``state`` is absent."""
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
    for size in range(1, len(tensors) + 1):
        for names in combinations(tensors, size):
            if is_spare(module, names):
                yield frozenset(slot for name in names for slot in tensors[name])
    for parts in tensors.values():
        for size in range(1, len(parts)):
            yield from map(frozenset, combinations(parts, size))
