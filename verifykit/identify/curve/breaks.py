"""Kinks, jumps and poles of a function of one number, told from steep but smooth places.

The second difference ``f(m-h) - 2 f(m) + f(m+h)`` falls by 4 when ``h`` is halved where the function is smooth, by 2 at
a kink, not at all at a jump. Of an interval, the half in which it is greatest is kept; the halves overlap, so that what
is looked for stays away from their ends. A steep function looks like a jump until ``h`` is below its own scale, hence
only the last halvings count, before the difference drowns in rounding.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from verifykit.identify.curve.scalar import Array, Function
from verifykit.identify.curve.scale import EPS, Scale
from verifykit.results.identity import Break

# Of many places those nearest zero are looked at, until so many turn out to be breaks.
MOST, _LOOKED_AT = 16, 64

# Second differences below this, relative to the values at hand and to those of the whole curve, decide nothing: 1e-6
# in double precision, a hundred units of rounding in a coarser one.
_DECISIVE, _GRAINS = 1e-6, 100
_GLOBAL = 0.1
_HALVINGS = 4
_LEAST_HALVINGS = 3
# Of the last halvings of a kink the second differences fall by 2 to the power of 1 ± 1/4; where smooth, of 2.
_SMOOTH = 1.4
_FINEST = 16 * EPS
# A kink is where people write it if a number of so many digits is within the doubt.
_SHORT = 8
_SETTLED, _DIVERGING = 0.3, 1.3


def find_breaks(f: Function, x: Array, scale: Scale) -> tuple[list[Break], int]:
    """Return the breaks of ``f`` between the points ``x``, ascending, one at most in two neighbouring cells, and how
    many more there seem to be. Those of less than about a millionth of the values are not looked for.
    """
    absolute = max(_GLOBAL * _DECISIVE, _GRAINS * scale.grain) * scale.typical
    kinks, abrupt = _narrowed(f, x, _decisive(scale), absolute)
    found: list[_Place] = [(window, _kink) for window in kinks]
    places = _distinct([*found, *((window, _sudden) for window in abrupt)])
    places.sort(key=lambda place: abs(place[0][0]))
    breaks: list[Break] = []
    for looked, (window, judge) in enumerate(places[:_LOOKED_AT], 1):
        one = judge(f, *window, scale)
        breaks += [one] if one else []
        if len(breaks) == MOST:
            return sorted(breaks, key=lambda one: one.at), len(places) - looked
    return sorted(breaks, key=lambda one: one.at), 0


def simplest(low: float, high: float) -> float:
    """Return the number with the fewest digits between ``low`` and ``high``."""
    if low <= 0.0 <= high:
        return 0.0
    middle = 0.5 * (low + high)
    candidates = (float(f"{number:.{digits}g}") for digits in range(1, 18) for number in (middle, low, high))
    return next((number for number in candidates if low <= number <= high), high)


def _decisive(scale: Scale) -> float:
    return max(_DECISIVE, _GRAINS * scale.grain)


Window = tuple[float, float]
_Place = tuple[Window, Callable[[Function, float, float, Scale], Break | None]]


def _narrowed(f: Function, x: Array, relative: float, absolute: float) -> tuple[list[Window], list[Window]]:
    """Narrow intervals that hold a kink, and such that hold something more abrupt."""
    a, b = x[:-2], x[2:]
    m = 0.5 * (a + b)
    fa, fm, fb = f(a), f(m), f(b)
    history = np.full((a.size, _HALVINGS + 1), np.nan)
    history[:, -1] = np.abs(fa - 2 * fm + fb)
    kinks: list[Window] = []
    abrupt: list[Window] = []
    while a.size:
        floor = relative * np.max(np.abs([fa, fm, fb]), axis=0) + absolute
        small = ~(history[:, -1] > floor)
        kinks += [(float(a[i]), float(b[i])) for i in np.flatnonzero(small) if _falls_like_a_kink(history[i])]
        fine = ~small & (b - a <= _FINEST * np.maximum(np.max(np.abs([a, b]), axis=0), 1e-3))
        abrupt += [(float(a[i]), float(b[i])) for i in np.flatnonzero(fine)]
        keep = ~(small | fine)
        a, m, b, fa, fm, fb, history = a[keep], m[keep], b[keep], fa[keep], fm[keep], fb[keep], history[keep]
        if not a.size:
            break
        low, high = 0.5 * (a + m), 0.5 * (m + b)
        flow, fhigh = np.split(f(np.concatenate([low, high])), 2)
        points = np.stack([a, low, m, high, b])
        values = np.stack([fa, flow, fm, fhigh, fb])
        second = np.abs(values[:-2] - 2 * values[1:-1] + values[2:])
        best = np.argmax(np.where(np.isnan(second), np.inf, second), axis=0)
        rows = np.arange(a.size)
        a, m, b = points[best, rows], points[best + 1, rows], points[best + 2, rows]
        fa, fm, fb = values[best, rows], values[best + 1, rows], values[best + 2, rows]
        history = np.concatenate([history[:, 1:], second[best, rows][:, None]], axis=1)
    return kinks, abrupt


def _falls_like_a_kink(history: Array) -> bool:
    seen = history[np.isfinite(history) & (history > 0)]
    if seen.size <= _LEAST_HALVINGS:
        return False
    return bool(np.log2(seen[0] / seen[-1]) / (seen.size - 1) < _SMOOTH)


@dataclass(frozen=True)
class _Side:
    """The parabola through three points at one side of a place, at ``step`` from each other."""

    value: float
    slope: float
    bend: float

    def at(self, t: float) -> float:
        return self.value + t * (self.slope + t * self.bend)

    def slope_at(self, t: float) -> float:
        return self.slope + 2 * t * self.bend


def _sides(f: Function, centre: float, step: float) -> tuple[_Side, _Side]:
    y = f(centre + step * np.array([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0]))
    sides = []
    for direction, (near, middle, far) in ((-1, y[[2, 1, 0]]), (1, y[3:])):
        bend = (near - 2 * middle + far) / 2
        slope = (-5 * near + 8 * middle - 3 * far) / 2
        sides.append(_Side(float(3 * near - 3 * middle + far), direction * float(slope) / step, float(bend) / step**2))
    return sides[0], sides[1]


def _crossing(before: _Side, after: _Side) -> float:
    t = 0.0
    for _ in range(4):
        t -= (after.at(t) - before.at(t)) / (after.slope_at(t) - before.slope_at(t))
    return t


def _kink(f: Function, a: float, b: float, scale: Scale) -> Break | None:
    """Where the parabolas at both sides cross; ``None`` where their slopes come to agree as they are drawn closer."""
    centre, size = 0.5 * (a + b), max(1.0, abs(0.5 * (a + b)))
    step = max(scale.reach * size, 4 * (b - a))
    wide, close = _sides(f, centre, step), _sides(f, centre, step / 8)
    slopes = [(before.slope_at(0), after.slope_at(0)) for before, after in (wide, close)]
    steepness = [max(abs(before), abs(after)) for before, after in slopes]
    if steepness[1] > _DIVERGING * steepness[0]:
        return _infinitely_steep(f, a, b, scale)
    jumps = [after - before for before, after in slopes]
    if not abs(jumps[0]) > 0 or not abs(jumps[1] - jumps[0]) < _SETTLED * abs(jumps[0]):
        return None
    shift = _crossing(*wide)
    if not abs(shift) < step:
        return None
    sides = _sides(f, centre + shift, scale.reach * size)  # from where it is known to be, as close as rounding lets it
    found = centre + shift + _crossing(*sides)
    doubt = abs(_crossing(*_sides(f, found, 2 * scale.reach * size))) + 64 * scale.grain * size
    short = simplest(found - doubt, found + doubt)
    at = short if float(f"{short:.{_SHORT}g}") == short else found
    before, after = (side.slope_at(0) + 0.0 for side in sides)  # no negative zero
    return Break(at, "kink", after - before, before, after, _value(f, at))


def _sudden(f: Function, a: float, b: float, scale: Scale) -> Break | None:
    """A jump, a pole, or a place where the slope is infinite, by what the values near it do."""
    for _ in range(8):  # to neighbouring numbers
        m = 0.5 * (a + b)
        if m in (a, b) or a < 0 < b:
            break
        fa, fm, fb = f(np.array([a, m, b]))
        a, b = (a, m) if abs(fm - fa) > abs(fb - fm) else (m, b)
    at = simplest(a, b)
    near = np.array([4 * EPS * max(abs(at), 1e-3), *(np.array([1e-12, 1e-6]) * max(1.0, abs(at)))])
    left, right = f(at - near), f(at + near)
    size = float(right[0] - left[0])
    if max(abs(left[0] - left[2]), abs(right[0] - right[2])) < 0.1 * abs(size):
        if abs(size) < _decisive(scale) * (scale.typical + min(abs(left[0]), abs(right[0]))):
            return None
        before, after = (simplest(one - abs(one - next), one + abs(one - next)) for one, next, _ in (left, right))
        return Break(at, "jump", after - before, before, after, _value(f, at))
    growth = np.abs(np.stack([left, right]))
    grows = growth[:, 0] - growth[:, 1] > 0.1 * np.abs(growth[:, 1] - growth[:, 2])
    if not np.isfinite(growth).all() or (grows & (growth[:, 0] - growth[:, 1] > 0.1 * scale.typical)).any():
        return Break(at, "pole", float("inf"), float(left[0]), float(right[0]), _value(f, at))
    if max(abs(left[0] - left[2]), abs(right[0] - right[2])) < 10 * _decisive(scale) * scale.typical:
        return None
    return _infinitely_steep(f, a, b, scale)


def _infinitely_steep(f: Function, a: float, b: float, scale: Scale) -> Break:
    doubt = 64 * EPS * max(1.0, abs(a))
    at = simplest(a - doubt, b + doubt)
    near = scale.reach * max(1.0, abs(at))
    before, value, after = f(np.array([at - near, at, at + near]))
    slopes = float(np.copysign(np.inf, value - before)), float(np.copysign(np.inf, after - value))
    return Break(at, "kink", float("inf"), *slopes, float(value))


def _value(f: Function, at: float) -> float:
    return float(f(np.array([at]))[0]) + 0.0


def _distinct(places: list[_Place]) -> list[_Place]:
    """One for each place: neighbouring intervals find it twice. The narrower is kept."""
    result: list[_Place] = []
    for place in sorted(places, key=lambda item: item[0]):
        (a, b), (last_a, last_b) = place[0], result[-1][0] if result else (-np.inf, -np.inf)
        if a - last_b > 1e-6 * max(1.0, abs(a)):
            result.append(place)
        elif b - a < last_b - last_a:
            result[-1] = place
    return result
