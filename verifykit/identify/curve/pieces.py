"""Where a function of one number rises, falls and stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from verifykit.identify.curve.breaks import simplest
from verifykit.identify.curve.scalar import Array, Function
from verifykit.identify.curve.scale import Scale
from verifykit.results.identity import Break

Piece = tuple[float, float, str]

_NAMES = {1: "rising", -1: "falling", 0: "constant"}

# A power of the distance has grown to 1e-8 after at most a tenth of the way to 1e-4, an exponential after two thirds.
_EARLY, _LATE = 1e-8, 1e-4
_FLAT = 0.3
_NOISE = 1e3
_BISECTIONS = 60


class _Cells(NamedTuple):
    """Neighbouring cells, ``start`` to before ``end``, over all of which the values go one way."""

    start: int
    end: int
    sign: int


def find_pieces(f: Function, x: Array, y: Array, breaks: Sequence[Break], scale: Scale) -> list[Piece]:
    """Return the monotone pieces of ``f``, whose values at ``x``, ascending and without gaps, are ``y``. The first
    begins where ``x`` begins, the last ends where it ends.
    """
    cuts = [one.at for one in breaks if one.kind in ("jump", "pole") and x[0] < one.at < x[-1]]
    kinks = np.array([one.at for one in breaks if one.kind == "kink"])
    edges = [float(x[0]), *cuts, float(x[-1])]
    pieces: list[Piece] = []
    for low, high in pairwise(edges):
        inside = ((x > low) | (x == x[0])) & ((x < high) | (x == x[-1])) & (x >= low) & (x <= high)
        stretch = _Stretch(f, x[inside], y[inside], kinks, scale)
        signs, bounds = stretch.pieces()
        ends = [low, *bounds, high]
        pieces += [(start, end, _NAMES[sign]) for (start, end), sign in zip(pairwise(ends), signs, strict=True)]
    return pieces


@dataclass(frozen=True)
class _Stretch:
    """A part without jumps."""

    f: Function
    x: Array
    y: Array
    kinks: Array
    scale: Scale

    def pieces(self) -> tuple[list[int], list[float]]:
        """Which way it goes, piece by piece, and where one piece ends and the next begins."""
        if self.x.size < 2:
            return [0], []
        merged: list[_Cells] = []
        runs = self._runs()
        for i, run in enumerate(runs):
            if run.sign == 0 and not self._is_constant(runs, i):
                continue
            if merged and merged[-1].sign == run.sign:
                merged[-1] = _Cells(merged[-1].start, run.end, run.sign)
            else:
                merged.append(run)
        return [run.sign for run in merged] or [0], self._bounds(merged)

    def _runs(self) -> list[_Cells]:
        steps = np.diff(self.y)
        noise = self.scale.noise(np.maximum(np.abs(self.y[:-1]), np.abs(self.y[1:])))
        signs = np.where(np.abs(steps) <= noise, 0, np.sign(steps)).astype(int)
        for run in _equal(signs):  # what adds up to nothing but noise goes no way
            if abs(self.y[run.end] - self.y[run.start]) <= _NOISE * noise[run.start]:
                signs[run.start : run.end] = 0
        return _equal(signs)

    def _is_constant(self, runs: Sequence[_Cells], i: int) -> bool:
        """Whether run ``i`` of equal values is constant by definition, not merely within rounding of its limit."""
        run = runs[i]
        return all(
            self._leaves(run, beside)
            for beside in (runs[i - 1] if i else None, runs[i + 1] if i + 1 < len(runs) else None)
            if beside is not None
        )

    def _leaves(self, run: _Cells, beside: _Cells) -> bool:
        """Whether the values leave those of ``run`` at once, by a kink or like a power of the distance."""
        after = beside.start >= run.end
        edge, far = (run.end, beside.end) if after else (run.start, beside.start)
        if self._kink(edge - 1, edge + 1) is not None:
            return True
        value = float(self.y[(run.start + run.end) // 2])
        total = min(abs(float(self.y[far]) - value), self.scale.typical)
        start, end = float(self.x[max(edge - 1, 0) if after else edge + 1]), float(self.x[far])
        leaving, early, late = self._departures(start, end, value, np.array([0.0, _EARLY, _LATE]) * total)
        return bool(abs(early - leaving) < _FLAT * abs(late - leaving))

    def _departures(self, start: float, end: float, value: float, amounts: Array) -> Array:
        """Where, between ``start`` and ``end``, the values first differ from ``value`` by more than ``amounts``."""
        near, far = np.full(amounts.size, start), np.full(amounts.size, end)
        for _ in range(_BISECTIONS):
            middle = 0.5 * (near + far)
            beyond = np.abs(self.f(middle) - value) > amounts
            near, far = np.where(beyond, near, middle), np.where(beyond, middle, far)
        return far

    def _kink(self, low: int, high: int) -> float | None:
        """The kink nearest between two points, if there is one."""
        a, b = self.x[max(low, 0)], self.x[min(high, self.x.size - 1)]
        inside = self.kinks[(self.kinks >= a) & (self.kinks <= b)]
        return float(inside[0]) if inside.size else None

    def _bounds(self, runs: Sequence[_Cells]) -> list[float]:
        bounds: dict[int, float] = {}
        turning: dict[int, tuple[float, float, int]] = {}
        for i, (one, other) in enumerate(pairwise(runs)):
            low, high = float(self.x[max(one.end - 1, 0)]), float(self.x[min(other.start + 1, self.x.size - 1)])
            kink = self._kink(one.end - 1, other.start + 1)
            if kink is not None:
                bounds[i] = kink
            elif 0 in (one.sign, other.sign):
                value = float(self.y[one.start if one.sign == 0 else other.end])
                ends = (low, high) if one.sign == 0 else (high, low)
                at = float(self._departures(*ends, value, np.zeros(1))[0])
                doubt = self.scale.reach * max(1.0, abs(at))  # the first of a power is lost in rounding
                bounds[i] = simplest(at - doubt, at + doubt)
            else:
                turning[i] = (low, high, one.sign)
        if turning:
            low_ends, high_ends, signs = (np.array(column) for column in zip(*turning.values(), strict=True))
            bounds |= dict(zip(turning, self._turning(low_ends, high_ends, signs), strict=True))
        return [bounds[i] for i in range(len(runs) - 1)]

    def _turning(self, low: Array, high: Array, sign: Array) -> list[float]:
        """Where the slope changes its ``sign``, between ``low`` and ``high``, all at once."""
        reach = self.scale.reach * np.maximum(1.0, np.abs(low))
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            before, after = np.split(self.f(np.concatenate([middle - reach, middle + reach])), 2)
            going_on = sign * (after - before) > 0
            low, high = np.where(going_on, middle, low), np.where(going_on, high, middle)
        doubt = 1e-4 * reach
        return [simplest(float(at - d), float(at + d)) for at, d in zip(low, doubt, strict=True)]


def _equal(signs: npt.NDArray[np.int_]) -> list[_Cells]:
    edges = [0, *(np.flatnonzero(np.diff(signs)) + 1).tolist(), signs.size]
    return [_Cells(start, end, int(signs[start])) for start, end in pairwise(edges)]
