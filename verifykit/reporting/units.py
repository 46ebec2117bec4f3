"""Figures with units, to three significant digits."""

import math
from typing import Any

from verifykit.results.cost import Ratio


def seconds(value: float) -> str:
    """``0.0000123`` -> ``12.3 µs``."""
    return _scaled(value, [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")])


def size(value: float) -> str:
    """``2048`` -> ``2.00 KiB``; whole bytes below one KiB."""
    if abs(value) < 1024:
        return f"{value:.0f} B"
    return _scaled(value, [(2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB")])


def count(value: float) -> str:
    """``1230000`` -> ``1.23 M``; whole numbers below ten thousand."""
    return f"{value:,.0f}" if abs(value) < 10_000 else _scaled(value, [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")])


def rate(flops: float) -> str:
    """FLOPs a second: ``9.5e10`` -> ``95.0 GFLOP/s``."""
    return _scaled(flops, [(1e12, "TFLOP/s"), (1e9, "GFLOP/s"), (1e6, "MFLOP/s"), (1e3, "kFLOP/s"), (1.0, "FLOP/s")])


def bandwidth(value: float) -> str:
    """Bytes a second, in powers of ten as makers of memory do: ``1.42e10`` -> ``14.2 GB/s``."""
    return _scaled(value, [(1e12, "TB/s"), (1e9, "GB/s"), (1e6, "MB/s"), (1e3, "kB/s"), (1.0, "B/s")])


def share(value: float) -> str:
    """A part of 1 in percent: ``0.123`` -> ``12%``, small ones with two digits: ``0.00123`` -> ``0.12%``."""
    return f"{value:.0%}" if value == 0 or abs(value) >= 0.0995 else f"{100 * value:.2g}%"


def ratio(found: Ratio, less: str = "faster", more: str = "slower") -> str:
    """How a cost compares with the reference's, with its interval, unless it is exact: ``2.00x faster (1.94 to
    2.07)``; where no difference was measured, with the multiples of the reference's cost that are possible.
    """
    if not found.is_measured:
        return f"no difference measured{_interval(found.low, found.high)}"
    if found.low == found.high and _is_same(found.value):
        return "the same"
    if found.value <= 0:
        return "nothing any more"
    if found.value < 1:
        greatest = 1 / found.low if found.low > 0 else math.inf
        return f"{_times(1 / found.value)} {less}{_interval(1 / found.high, greatest)}"
    return f"{_times(found.value)} {more}{_interval(found.low, found.high)}"


def multiple(own: float | None, other: float | None) -> str:
    """How two counts compare that carry no noise: ``2.00x more``; empty where there is nothing to compare."""
    if own is None or other is None or (own != other and not (own > 0 and other > 0)):
        return ""
    if own == other or _is_same(own / other):
        return "the same"
    return f"{_times(own / other)} more" if own > other else f"{_times(other / own)} less"


def plain(value: Any) -> str:
    """A piece of evidence as text, floats to six significant digits."""
    match value:
        case bool() | None:
            return str(value)
        case float():
            return f"{value:.6g}"
        case dict():
            return ", ".join(f"{key} = {plain(item)}" for key, item in value.items())
        case list() | tuple():
            return f"[{', '.join(map(plain, value))}]"
        case _:
            return str(value)


def _is_same(quotient: float) -> bool:
    """Whether the two would read as 1.00 times each other."""
    return abs(quotient - 1) <= 0.005


def _interval(low: float, high: float) -> str:
    return "" if low == high else f" ({_times(low, '')} to {_times(high, '')})"


def _times(value: float, sign: str = "x") -> str:
    if math.isinf(value):
        return f"∞{sign}"
    return f"{value:.2f}{sign}" if value < 100 else f"{value:,.0f}{sign}"


def _scaled(value: float, units: list[tuple[float, str]]) -> str:
    factor, unit = next(((f, u) for f, u in units if abs(value) >= f), units[-1])
    scaled = value / factor
    return f"{scaled:#.3g}".rstrip(".") + f" {unit}" if abs(scaled) < 1000 else f"{scaled:.0f} {unit}"
