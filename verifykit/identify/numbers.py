"""Reading a measured number as the simple one that it is: 0.5, 2/3, sqrt(3), 1/ln 2."""

import math
from fractions import Fraction

# How near a number must come to be read as a simple one: what is read is exact but for rounding.
NEAR = 1e-9
GREATEST_DENOMINATOR = 16
GREATEST_NUMERATOR = 4096

_CONSTANTS = {"pi": math.pi, "ln 2": math.log(2), "ln 10": math.log(10), "e": math.e}


def simple(value: float, near: float = NEAR) -> str | None:
    """Return how a person would write ``value``: as a decimal of few digits, a fraction, a root of one, or such a
    multiple of a well-known constant; ``None`` where it is none of these within a relative ``near``.
    """
    if value == 0.0 or not math.isfinite(value):
        return None
    sign, size = ("-" if value < 0 else ""), abs(value)
    for digits in range(1, 5):
        text = f"{size:.{digits}g}"
        if abs(float(text) - size) <= near * size:
            return sign + text
    if (plain := _fraction(size, near)) is not None:
        return sign + plain
    if (square := _fraction(size**2, 2 * near)) is not None:
        return f"{sign}sqrt({square})"
    for name, constant in _CONSTANTS.items():
        if (times := _fraction(size / constant, near)) is not None:
            return sign + (name if times == "1" else f"{times}·{name}")
        if (over := _fraction(size * constant, near)) is not None:
            return f"{sign}{over}/{name}"
    return None


def _fraction(value: float, near: float) -> str | None:
    fraction = Fraction(value).limit_denominator(GREATEST_DENOMINATOR)
    if not 0 < fraction.numerator <= GREATEST_NUMERATOR or abs(float(fraction) - value) > near * value:
        return None
    return str(fraction)
