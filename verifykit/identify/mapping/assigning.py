"""Which piece of the target's state fills which part of a candidate's: by name, by order, by permutation."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, permutations, product
from typing import Literal, TypeVar

from verifykit.identify.mapping.cutting import Piece
from verifykit.identify.mapping.layouts import Shape
from verifykit.identify.mapping.naming import agreement_of_names
from verifykit.identify.mapping.slots import Slot
from verifykit.identify.mapping.sources import Source

# Orders of one class of equal shapes, combinations of those of all classes that are looked at, and that are tried.
_ORDERS, _LOOKED_AT, _COMBINATIONS = 24, 1024, 48

How = Literal["by name", "in order", "permuted"]

Item = TypeVar("Item")
Key = TypeVar("Key")


@dataclass(frozen=True)
class Filler:
    """A piece of a source: what fills a slot."""

    source: Source
    piece: Piece

    @property
    def key(self) -> tuple[str, Shape, int, int]:
        """What tells it from the other pieces of one cut."""
        return self.source.name, self.piece.shape, self.piece.index, id(self.piece)


Assignment = dict[Slot, Filler]


def assignments(slots: Sequence[Slot], fillers: Sequence[Filler], how: How) -> Iterator[Assignment]:
    """Yield the ways in which ``fillers`` fill ``slots``, none where the shapes do not come out even: the one that the
    names tell, those in the order of definition, or those in which packed parts stand in another order.
    """
    classes = _classes(slots, fillers)
    if classes is None:
        return
    ordered = [slot for members, _ in classes for slot in members]
    combined: Iterable[tuple[list[Filler], ...]] = [_by_name(classes)]
    if how != "by name":
        orders = [list(islice(_orders(members, pieces), _ORDERS)) for members, pieces in classes]
        combined = chain(combined, _combined(orders))
    plans = (dict(zip(ordered, chain.from_iterable(combination), strict=True)) for combination in combined)
    if how == "permuted":
        count = max(len(slot.parts) for slot in slots)
        plans = (_turned(plan, order) for plan in plans for order in islice(permutations(range(count)), 1, None))
    seen = set[tuple[object, ...]]()
    for plan in plans:
        key = tuple(plan[slot].key for slot in ordered)
        if key not in seen and _is_whole(plan):
            seen.add(key)
            yield plan


def _combined(orders: Sequence[list[list[Filler]]]) -> Iterator[tuple[list[Filler], ...]]:
    """One order of each class, those first in which every class has one of its first."""
    most = max(2, int(_LOOKED_AT ** (1 / len(orders))))
    ranks = sorted(product(*(range(min(most, len(each))) for each in orders)), key=sum)
    for ranked in ranks[:_COMBINATIONS]:
        yield tuple(each[rank] for each, rank in zip(orders, ranked, strict=True))


def _classes(slots: Sequence[Slot], fillers: Sequence[Filler]) -> list[tuple[list[Slot], list[Filler]]] | None:
    wanted, given = _grouped(slots, lambda slot: slot.shape), _grouped(fillers, lambda filler: filler.piece.shape)
    if wanted.keys() != given.keys():
        return None
    classes = list[tuple[list[Slot], list[Filler]]]()
    for shape, members in wanted.items():
        pieces = _enough(members, given[shape])
        if len(members) != len(pieces):
            return None
        learnt = [slot for slot in members if slot.parameter]
        parameters = [filler for filler in pieces if filler.source.parameter]
        if len(learnt) == len(parameters):
            classes += [
                (learnt, parameters),
                ([s for s in members if not s.parameter], [f for f in pieces if not f.source.parameter]),
            ]
        else:
            classes.append((members, pieces))
    return [(members, pieces) for members, pieces in classes if members]


def _enough(slots: Sequence[Slot], fillers: Sequence[Filler]) -> list[Filler]:
    """Drop what need not be used where there is too much, keeping what is best named."""
    spare = [filler for filler in fillers if not filler.source.needed]
    spare.sort(key=lambda filler: max(agreement_of_names(filler.source.name, slot) for slot in slots))
    dropped = [id(filler) for filler in spare[: max(0, len(fillers) - len(slots))]]
    return [filler for filler in fillers if id(filler) not in dropped]


def _by_name(classes: Sequence[tuple[list[Slot], list[Filler]]]) -> tuple[list[Filler], ...]:
    """The fillers of each class in the order of the slots that they agree best with: by name, and by the part of the
    module that they belong to, as far as the smaller classes have told which parts correspond.
    """
    owners, found = set[tuple[str, str]](), dict[int, list[Filler]]()
    for at, (slots, fillers) in sorted(enumerate(classes), key=lambda entry: len(entry[1][0])):
        chosen = _best(slots, fillers, owners)
        owners |= {
            (_owner(filler.source.name), _owner(slot.tensor)) for slot, filler in zip(slots, chosen, strict=True)
        }
        found[at] = chosen
    return tuple(found[at] for at in range(len(classes)))


def _best(slots: Sequence[Slot], fillers: Sequence[Filler], owners: Collection[tuple[str, str]]) -> list[Filler]:
    scored = sorted((-_fitness(f, slot, owners), i, j) for i, slot in enumerate(slots) for j, f in enumerate(fillers))
    chosen, used = dict[int, int](), set[int]()
    for _, i, j in scored:
        if i not in chosen and j not in used:
            chosen[i] = j
            used.add(j)
    return [fillers[chosen[i]] for i in range(len(slots))]


def _fitness(filler: Filler, slot: Slot, owners: Collection[tuple[str, str]]) -> int:
    """How well they agree by name; what is packed of as many parts, in the same order, goes together before all."""
    same = filler.piece.count == len(slot.parts) and filler.piece.index == slot.index
    alike = (_owner(filler.source.name), _owner(slot.tensor)) in owners
    return agreement_of_names(filler.source.name, slot) + 20 * same + 6 * alike


def _owner(name: str) -> str:
    return name.rpartition(".")[0]


def _orders(slots: Sequence[Slot], fillers: Sequence[Filler]) -> Iterator[list[Filler]]:
    """Tensor by tensor, in every order of the tensors; then part by part, where all have the same parts."""
    tensors = list(_grouped(slots, lambda slot: slot.tensor).values())
    for order in permutations(range(len(tensors))):
        starts, at = dict[int, int](), 0
        for tensor in order:
            starts[tensor] = at
            at += len(tensors[tensor])
        yield [fillers[starts[i] + j] for i, members in enumerate(tensors) for j in range(len(members))]
    parts = {len(members) for members in tensors}
    if len(tensors) > 1 and len(parts) == 1 and parts != {1}:
        (length,) = parts
        for order in permutations(range(len(tensors))):
            yield [fillers[j * len(tensors) + order[i]] for i in range(len(tensors)) for j in range(length)]


def _is_whole(plan: Assignment) -> bool:
    """Whether what is packed of as many parts as a tensor of the candidate fills one, alone."""
    places: defaultdict[tuple[str, Shape, int], set[str]] = defaultdict(set)
    for slot, filler in plan.items():
        if filler.piece.count > 1:
            places[filler.source.name, filler.piece.shape, filler.piece.pack].add(slot.tensor)
    return all(len(tensors) == 1 for tensors in places.values())


def _turned(plan: Assignment, order: Sequence[int]) -> Assignment:
    """The plan with the parts of packed tensors in another order; what lacks a part stays as it is."""
    at = {(slot.tensor, slot.index): filler for slot, filler in plan.items()}
    return {
        slot: at[slot.tensor, order[slot.index]] if _is_complete(slot, order, at) else filler
        for slot, filler in plan.items()
    }


def _is_complete(slot: Slot, order: Sequence[int], at: Mapping[tuple[str, int], Filler]) -> bool:
    return len(slot.parts) == len(order) and all((slot.tensor, index) in at for index in order)


def _grouped(items: Sequence[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    groups: defaultdict[Key, list[Item]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return dict(groups)
