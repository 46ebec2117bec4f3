"""Figures as people read them: three significant digits at most, and no exponents."""

import math
from collections.abc import Sequence


def figure(value: float) -> str:
    """``0.12345`` -> ``0.123``, ``7781.9`` -> ``7,780``."""
    if 0 < abs(value) < math.inf:
        value = round(value, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def times(value: float) -> str:
    """How many times as fast: ``2.0``, ``23.4``, ``7,780``."""
    return f"{value:.1f}" if value < 99.95 else figure(value)


def size(count: float) -> str:
    """Return so many bytes with a unit, in powers of two: ``1.5 KiB``."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1000:
            return f"{figure(count)} {unit}"
        count /= 1024
    return f"{figure(count)} GiB"


def seconds(time: float) -> str:
    """Return a time with a unit: ``3.2 µs``."""
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if time * factor >= 1:
            return f"{figure(time * factor)} {unit}"
    return f"{figure(time * 1e6)} µs"


def listed(lines: Sequence[int]) -> str:
    """``line 3``, ``lines 3 and 7``, ``lines 3 to 5``, from numbers in order."""
    first, *others = lines
    if not others:
        return f"line {first}"
    if len(lines) > 2 and (len(lines) > 4 or lines[-1] - first == len(lines) - 1):
        return f"lines {first} to {lines[-1]}"
    return f"lines {', '.join(map(str, lines[:-1]))} and {lines[-1]}"
