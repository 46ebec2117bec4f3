"""Cutting the target's tensors into the pieces that a candidate's state is made of."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from torch import Tensor

from verifykit.identify.mapping.layouts import RESHAPED, Shape, layouts
from verifykit.identify.mapping.slots import Slot

# Cuts of one tensor that are kept, of a first slice of it, and times that what is left over is cut again.
_CUTS, _ENDS, _DEPTH = 12, 3, 2
_WOVEN = 3
# What is said of parts that do not lie one after the other.
INTERLEAVED = "is interleaved"


@dataclass(frozen=True)
class Piece:
    """A part of a tensor, laid out in ``shape`` by ``take``: the ``index``-th of the ``count`` in which it was packed
    (of one, where it fills what is in one part). ``note`` says how it was laid out. What was packed together is of one
    ``pack`` among those of its tensor, as each row of a matrix that holds two packed vectors.
    """

    shape: Shape
    take: Callable[[Tensor], Tensor]
    note: str
    index: int = 0
    count: int = 1
    pack: int = 0


@dataclass(frozen=True)
class Cut:
    """The pieces of one tensor, in their order; ``cost`` grows with the oddity of the cut."""

    pieces: tuple[Piece, ...]
    cost: int


@dataclass(frozen=True)
class Wanted:
    """The shapes that are wanted: those of single pieces, and of whole tensors packed from so many pieces."""

    singles: tuple[Shape, ...]
    wholes: tuple[tuple[Shape, int], ...]

    @classmethod
    def of(cls, slots: Iterable[Slot]) -> "Wanted":
        """What ``slots`` want."""
        slots = list(slots)
        singles = dict.fromkeys(slot.shape for slot in slots)
        wholes = dict.fromkeys((slot.whole, len(slot.parts)) for slot in slots if slot.parts)
        return cls(tuple(singles), tuple(wholes))


def cuts(shape: Shape, wanted: Wanted, heads: int = 1) -> list[Cut]:
    """Return the ways in which a tensor of ``shape`` may be cut into what is wanted, the plainest first. ``heads`` are
    those by which an attention may interleave its projections.
    """
    return _cheapest(_cuts(shape, wanted, heads, _DEPTH), _CUTS)


def _cheapest(found: Iterable[Cut], count: int) -> list[Cut]:
    return sorted(found, key=lambda cut: cut.cost)[:count]


def _cuts(shape: Shape, wanted: Wanted, heads: int, depth: int) -> Iterator[Cut]:
    yield from _direct(shape, wanted, heads)
    if depth == 0:
        return
    sizes = {math.prod(single) for single in wanted.singles} | {math.prod(whole) for whole, _ in wanted.wholes}
    for axis, length in enumerate(shape):
        slice_size = math.prod(shape) // length if length else 1
        for first in range(1, length):
            if first * slice_size not in sizes:
                continue
            head, tail = (_with(shape, axis, size) for size in (first, length - first))
            ends = _cheapest(_direct(head, wanted, heads), _ENDS)
            rest = _cheapest(_cuts(tail, wanted, heads, depth - 1), 2 * _ENDS) if ends else []
            for one, other in product(ends, rest):
                yield _joined(axis, first, length, one, other)


def _direct(shape: Shape, wanted: Wanted, heads: int) -> Iterator[Cut]:
    for whole, count in wanted.wholes:
        for layout in layouts(shape, whole):
            for views, cost in _packings(whole, count, heads):
                piece = (whole[0] // count, *whole[1:])
                pieces = [
                    Piece(piece, _composed(layout.apply, view), _both(layout.note, note), index, count)
                    for index, (view, note) in enumerate(views)
                ]
                yield Cut(tuple(pieces), layout.cost + cost)
    for single in wanted.singles:
        for layout in layouts(shape, single):
            yield Cut((Piece(single, layout.apply, layout.note),), layout.cost)


def _packings(
    whole: Shape, count: int, heads: int
) -> Iterator[tuple[list[tuple[Callable[[Tensor], Tensor], str]], int]]:
    """The ways in which ``count`` pieces may be packed along the first dimension: in a row, or interleaved."""
    yield [(_interleaved(whole, 1, count, index), "") for index in range(count)], 0
    length = whole[0] // count
    for groups, note in {heads: f"{INTERLEAVED} by head", length: INTERLEAVED}.items():
        if groups > 1 and length % groups == 0:
            yield [(_interleaved(whole, groups, count, index), note) for index in range(count)], _WOVEN


def _interleaved(whole: Shape, groups: int, count: int, index: int) -> Callable[[Tensor], Tensor]:
    rest, length = whole[1:], whole[0] // count

    def take(tensor: Tensor) -> Tensor:
        return tensor.reshape(groups, count, length // groups, *rest)[:, index].reshape(length, *rest)

    return take


def _joined(axis: int, first: int, length: int, one: Cut, other: Cut) -> Cut:
    head = [_within(piece, axis, 0, first) for piece in one.pieces]
    packs = 1 + max(piece.pack for piece in head)
    tail = [replace(_within(piece, axis, first, length - first), pack=packs + piece.pack) for piece in other.pieces]
    return Cut((*head, *tail), one.cost + other.cost + 2)


def _within(piece: Piece, axis: int, start: int, length: int) -> Piece:
    note = "" if piece.note == RESHAPED else piece.note
    return replace(piece, note=note, take=_composed(lambda tensor: tensor.narrow(axis, start, length), piece.take))


def _composed(first: Callable[[Tensor], Tensor], then: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda tensor: then(first(tensor))


def _both(*notes: str) -> str:
    return " and ".join(filter(None, notes))


def _with(shape: Sequence[int], axis: int, size: int) -> Shape:
    return tuple(size if at == axis else length for at, length in enumerate(shape))
