"""Figures with units, to three significant digits."""

from typing import Any

from verifykit.results.performance import Ratio


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


def ratio(found: Ratio) -> str:
    """How a cost compares with the reference's, with its interval: ``2.00x faster (1.94 to 2.07)``."""
    if not found.is_measured:
        return "no difference measured"
    if found.value < 1:
        return f"{1 / found.value:.2f}x faster ({1 / found.high:.2f} to {1 / found.low:.2f})"
    return f"{found.value:.2f}x slower ({found.low:.2f} to {found.high:.2f})"


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


def _scaled(value: float, units: list[tuple[float, str]]) -> str:
    factor, unit = next(((f, u) for f, u in units if abs(value) >= f), units[-1])
    scaled = value / factor
    return f"{scaled:#.3g}".rstrip(".") + f" {unit}" if abs(scaled) < 1000 else f"{scaled:.0f} {unit}"
