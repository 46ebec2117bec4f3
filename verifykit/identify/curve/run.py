"""One interval in which a function of one number is finite."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from verifykit.identify.curve.breaks import find_breaks
from verifykit.identify.curve.extent import lipschitz, open_end
from verifykit.identify.curve.pieces import Piece, find_pieces
from verifykit.identify.curve.scalar import Array, Function
from verifykit.identify.curve.scale import Scale
from verifykit.results.identity import Break


@dataclass(frozen=True)
class Run:
    """``f``, finite between ``low`` and ``high`` and seen there at ``x``, ascending, where its values are ``y``."""

    f: Function
    x: Array
    y: Array
    low: float
    high: float
    scale: Scale

    @property
    def breaks(self) -> list[Break]:
        """Its breaks, or the many nearest zero."""
        return self._found[0]

    @property
    def more_breaks(self) -> int:
        """How many more there seem to be."""
        return self._found[1]

    @cached_property
    def pieces(self) -> list[Piece]:
        """Its monotone pieces, from end to end; of many breaks, between those that were looked at."""
        known = np.full(self.x.size, True)
        if self.more_breaks and self.breaks:
            known = (self.x >= self.breaks[0].at) & (self.x <= self.breaks[-1].at)
        pieces = find_pieces(self.f, self.x[known], self.y[known], self.breaks, self.scale)
        if known[0]:
            pieces[0] = (self.low, *pieces[0][1:])
        if known[-1]:
            pieces[-1] = (pieces[-1][0], self.high, pieces[-1][2])
        return pieces

    @cached_property
    def slope(self) -> float:
        """The greatest slope, infinite where there is none."""
        if self.more_breaks:
            return math.inf
        x, y = self.x, self.y
        for edge, side in ((self.low, 0), (self.high, -1)):
            if math.isfinite(edge):
                value = self.f(np.array([edge]))[0]
                if not math.isfinite(value):
                    return math.inf
                place = 0 if side == 0 else x.size
                x, y = np.insert(x, place, edge), np.insert(y, place, value)
        ends = (self.low == -math.inf, self.high == math.inf)
        found = lipschitz(self.f, x, y, self.breaks, ends, self.scale)
        return math.inf if found is None else found

    @cached_property
    def bounds(self) -> tuple[float, float]:
        """Between what its values lie, as far as it was seen and at its finite ends."""
        low, high = float(self.y.min()), float(self.y.max())
        turns = self.f(np.array([end for _, end, _ in self.pieces if math.isfinite(end)]))
        values = [low, high, *turns[np.isfinite(turns)].tolist()]
        values += [v for one in self.breaks if one.kind == "jump" for v in (one.before, one.after, one.value)]
        poles = [value for one in self.breaks if one.kind == "pole" for value in (one.before, one.after)]
        for edge, inward in ((self.low, 1), (self.high, -1)):
            if math.isfinite(edge):
                at, close = self.f(np.array([edge, edge + inward * 1e-12 * max(1.0, abs(edge))]))
                values += [float(v) for v in (at, close) if math.isfinite(v)]
                poles += [float(close)] if open_end(self.f, edge, inward) else []
        values += [math.copysign(math.inf, value) for value in poles]
        return min(values), max(values)

    @cached_property
    def _found(self) -> tuple[list[Break], int]:
        return find_breaks(self.f, self.x, self.scale)
