"""The ways in which a tensor of one shape can be laid out as one of another: transposed, reshaped, merged, split."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

from torch import Tensor

Shape = tuple[int, ...]

# What is said of a layout.
TRANSPOSED, PERMUTED, RESHAPED = "is transposed", "has its axes permuted", "is reshaped"

# Beyond so many dimensions the orders of axes are not tried.
_DEEPEST = 4


@dataclass(frozen=True)
class Layout:
    """``apply`` lays a tensor out anew; ``note`` says how, empty if nothing changes; ``cost`` grows with its oddity."""

    apply: Callable[[Tensor], Tensor]
    note: str
    cost: int


@lru_cache(maxsize=4096)
def layouts(have: Shape, want: Shape) -> tuple[Layout, ...]:
    """Return the layouts that make a tensor of shape ``want`` of one of shape ``have``, the plainest first."""
    if math.prod(have) != math.prod(want):
        return ()
    found: dict[object, Layout] = {}
    for key, layout in sorted(_layouts(have, want), key=lambda entry: entry[1].cost):
        found.setdefault(key, layout)
    return tuple(found.values())


def _layouts(have: Shape, want: Shape) -> Iterator[tuple[object, Layout]]:
    ours, theirs = _without_ones(have), _without_ones(want)
    if max(len(ours), len(theirs)) > _DEEPEST:
        if ours == theirs:
            yield (), _layout(ours, tuple(range(len(ours))), want, "" if have == want else RESHAPED, 0)
        return
    for order in permutations(range(len(ours))):
        for other in permutations(range(len(theirs))):
            moved = _inversions(order) + _inversions(other)
            turned, aim = tuple(ours[i] for i in order), tuple(theirs[i] for i in other)
            if len(ours) >= len(theirs):
                if other != tuple(sorted(other)) or not _coarsens(turned, aim):
                    continue
            elif not _coarsens(aim, turned):
                continue
            yield _sense(ours, order, aim, other), _refined(have, want, ours, order, aim, other, moved)


def _sense(ours: Shape, order: Shape, aim: Shape, other: Shape) -> object:
    """What tells a layout from those that do the same: the axes of the aim that each of our axes is split into."""
    if len(ours) >= len(aim):
        return order
    groups, position = list[tuple[int, Shape]](), 0
    for axis in order:
        start, size = position, 1
        while size < ours[axis]:
            size *= aim[position]
            position += 1
        groups.append((axis, other[start:position]))
    return tuple(sorted(groups))


def _refined(have: Shape, want: Shape, ours: Shape, order: Shape, aim: Shape, other: Shape, moved: int) -> Layout:
    back = tuple(other.index(axis) for axis in range(len(other)))
    reshaped = len(ours) != len(aim)
    if moved == 0 and not reshaped:
        note = "" if have == want else RESHAPED
    else:
        note = RESHAPED if moved == 0 else TRANSPOSED if len(ours) <= 2 else PERMUTED

    def apply(tensor: Tensor) -> Tensor:
        return tensor.reshape(ours).permute(order).reshape(aim).permute(back).reshape(want)

    if not note:
        return Layout(lambda tensor: tensor, note, 0)
    return Layout(apply, note, 2 * moved + reshaped + (moved > 0))


def _layout(ours: Shape, order: Shape, want: Shape, note: str, cost: int) -> Layout:
    return Layout(lambda tensor: tensor.reshape(ours).permute(order).reshape(want), note, cost)


def _without_ones(shape: Shape) -> Shape:
    return tuple(size for size in shape if size != 1)


def _inversions(order: Sequence[int]) -> int:
    return sum(order[i] > order[j] for i in range(len(order)) for j in range(i + 1, len(order)))


def _coarsens(fine: Shape, coarse: Shape) -> bool:
    """Whether ``coarse`` comes of ``fine`` by merging neighbours."""
    position, size = 0, 1
    for wanted in coarse:
        while size != wanted:
            if size > wanted or position == len(fine):
                return False
            size *= fine[position]
            position += 1
        size = 1
    return position == len(fine)
