"""What a function of one number comes to far out."""

import math
from dataclasses import dataclass

import numpy as np

from verifykit.identify.curve.scalar import Array, Function

# Far enough for a limit that is approached like 1/x, near enough for squares of it to keep their digits.
_DECADES = (1e4, 1e6, 1e8)
_SAMPLES = 64
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Limit:
    """What the values come to, in words, and the bounds that they keep to at last."""

    text: str
    low: float
    high: float


def limit(f: Function, sign: int, typical: float) -> Limit:
    """Return what ``f`` comes to towards ``sign`` times infinity; ``typical`` is what its values usually differ by."""
    steps = np.geomspace(1.0, 10.0, _SAMPLES, endpoint=False)  # irrational in the main: no period divides them
    with np.errstate(all="ignore"):
        x = [decade * steps for decade in _DECADES]
        y = np.split(f(sign * np.concatenate(x)), len(x))
        return _limit(x, y, sign, typical)


def _limit(x: list[Array], y: list[Array], sign: int, typical: float) -> Limit:
    last = y[-1]
    if np.isnan(last).any():
        return Limit("not defined", math.inf, -math.inf)
    if np.isinf(last).any():
        return _unbounded(last)
    middle, spread = 0.5 * float(last.max() + last.min()), float(np.ptp(last))
    if spread <= _TOLERANCE * (typical + abs(middle)):
        value = _rounded(float(last[-1]), _TOLERANCE * typical)
        return Limit(f"{value:.6g}", value, value)
    if not _is_monotone(last) and not _is_monotone(y[1]):
        low, high = float(min(map(np.min, y))), float(max(map(np.max, y)))
        if np.abs(last).max() > 10 * np.abs(y[0]).max():
            return Limit("oscillates without bound", -math.inf, math.inf)
        if np.ptp(last) < 0.1 * np.ptp(y[0]):
            value = _rounded(middle, float(np.ptp(last)))
            return Limit(f"{value:.6g}", value, value)
        return Limit("oscillates", low, high)
    power = _power(x[-1], last)
    if power < -0.05:
        return Limit("0", 0.0, 0.0)
    line = _line(x, y, sign, typical)
    return Limit(line, *_ends(last)) if line else _unbounded(last, power, sign * x[-1])


def _line(x: list[Array], y: list[Array], sign: int, typical: float) -> str | None:
    """``0.5·x - 1`` where the values come to that."""
    slope = sign * float((y[-1][-1] - y[-1][0]) / (x[-1][-1] - x[-1][0]))
    slope = _rounded(slope, 1e-12 * abs(slope))
    if not np.allclose(y[-1], slope * sign * x[-1], rtol=_TOLERANCE, atol=0.0):
        return None
    shown = {"1": "x", "-1": "-x"}.get(f"{slope:.6g}", f"{slope:.6g}·x")
    near, rest = (float(np.median(y[i] - slope * sign * x[i])) for i in (0, 1))
    if abs(rest - near) > 1e-3 * (typical + abs(rest)) or abs(rest) < 10 * _TOLERANCE * typical:
        return f"like {shown}"
    return f"like {shown} {'+' if rest > 0 else '-'} {abs(rest):.6g}"


def _power(x: Array, y: Array) -> float:
    return float(np.log(np.abs(y[-1] / y[0])) / np.log(x[-1] / x[0]))


def _unbounded(y: Array, power: float = math.nan, x: Array | None = None) -> Limit:
    low, high = _ends(y)
    text = "inf" if high == math.inf else "-inf"
    whole = round(2 * power) / 2 if math.isfinite(power) else 0.0
    if x is None or whole < 0.5 or abs(power - whole) > 1e-3:
        return Limit(text, low, high)
    factor = f"{y[-1] / abs(x[-1]) ** whole:.4g}"
    base = "x" if x[-1] > 0 or whole % 2 == 0 else "|x|"
    return Limit(f"{text}, like { {'1': '', '-1': '-'}.get(factor, factor + '·') }{base}^{whole:g}", low, high)


def _ends(y: Array) -> tuple[float, float]:
    return (math.inf, math.inf) if y[-1] > 0 else (-math.inf, -math.inf)


def _is_monotone(y: Array) -> bool:
    steps = np.diff(y)
    return bool((steps >= 0).all() or (steps <= 0).all())


def _rounded(value: float, doubt: float) -> float:
    """``value``, or a number of few digits within ``doubt`` of it."""
    if abs(value) <= doubt:
        return 0.0
    return next((n for n in (float(f"{value:.{d}g}") for d in range(1, 12)) if abs(n - value) <= doubt), value)
