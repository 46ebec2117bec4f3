"""Cutting all of the target's tensors so that the pieces are those that a candidate's state is made of."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product

from verifykit.identify.mapping.assigning import Filler
from verifykit.identify.mapping.cutting import INTERLEAVED, Cut, Wanted, cuts
from verifykit.identify.mapping.layouts import TRANSPOSED, Shape
from verifykit.identify.mapping.slots import Slot
from verifykit.identify.mapping.sources import Source

# Combinations of cuts that are looked at.
_COMBINATIONS = 512
# What it costs if some matrices are transposed and some are not, or some tensors interleaved and some not.
_MIXED = 4


def fillings(available: Sequence[Source], slots: Sequence[Slot], heads: int) -> Iterator[list[Filler]]:
    """Yield the ways to cut what is ``available`` into as many pieces of each shape as ``slots`` want, or more, the
    plainest first. Tensors of one shape are cut alike.
    """
    wanted, options = Wanted.of(slots), dict[Shape, list[Cut]]()
    for source in available:
        if source.shape not in options:
            options[source.shape] = cuts(source.shape, wanted, heads)
        if source.needed and not options[source.shape]:
            return
    usable = [source for source in available if options[source.shape]]
    shapes = [shape for shape, found in options.items() if found]
    goal = Counter(slot.shape for slot in slots)
    while math.prod(len(options[shape]) for shape in shapes) > _COMBINATIONS:
        options[max(shapes, key=lambda shape: len(options[shape]))].pop()
    for choice in sorted(product(*(options[shape] for shape in shapes)), key=_oddity):
        cut_of = dict(zip(shapes, choice, strict=True))
        fillers = [Filler(source, piece) for source in usable for piece in cut_of[source.shape].pieces]
        needed = Counter(filler.piece.shape for filler in fillers if filler.source.needed)
        if needed <= goal <= Counter(filler.piece.shape for filler in fillers):
            yield [filler for filler in fillers if filler.piece.shape in goal]


def _oddity(choice: Sequence[Cut]) -> int:
    """What a combination of cuts costs: tensors of one module are laid out alike."""
    pieces = [piece for cut in choice for piece in cut.pieces if len(piece.shape) > 1]
    turned = {TRANSPOSED in piece.note for piece in pieces}
    woven = {INTERLEAVED in piece.note for cut in choice for piece in cut.pieces if piece.count > 1}
    return sum(cut.cost for cut in choice) + _MIXED * (len(turned) > 1) + _MIXED * (len(woven) > 1)
