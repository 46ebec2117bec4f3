"""Sizes and laws of growth in words: plain text, to be escaped by whoever shows it."""

from collections.abc import Mapping, Sequence
from typing import Literal

from verifykit.results.growth import Growth, Law, Quantity

QUANTITIES: tuple[Quantity, ...] = ("time", "peak memory", "saved bytes", "operators")

# Below this uncertainty an exponent that may be 0 is taken for 0; above, nothing is known.
_KNOWN = 0.1


def sizes_text(sizes: Mapping[str, int]) -> str:
    """``N = 3, L = 128``; empty where nothing is free."""
    return ", ".join(f"{name} = {size}" for name, size in sizes.items())


def power(law: Law, symbol: str) -> str:
    """``L^1.97 ± 0.05``, an uncertainty that rounds to nothing left out."""
    error = "" if law.error < 0.005 else f" ± {law.error:.2f}"
    return f"{symbol}^{law.exponent:.2f}{error}"


def law_text(law: Law, symbol: str) -> str:
    """How it grows, as what follows the name of the quantity: ``grows as L^1.97 ± 0.05``."""
    plural = law.quantity in ("saved bytes", "operators")
    match direction(law):
        case "constant" | "unknown" if law.also:  # a logarithm, which is near to being flat
            return f"{'grow' if plural else 'grows'} no faster than {law.also}"
        case "grows":
            also = f" (or {law.also})" if law.also else ""
            return f"{'grow' if plural else 'grows'} as {power(law, symbol)}{also}"
        case "falls":
            return f"{'fall' if plural else 'falls'} as {power(law, symbol)}"
        case "constant":
            return f"{'do' if plural else 'does'} not grow with {symbol}"
        case "unknown":
            return f"may or may not grow with {symbol} ({power(law, symbol)})"


def direction(law: Law) -> Literal["grows", "falls", "constant", "unknown"]:
    """Return what can be said of the exponent, given its uncertainty."""
    if round(law.exponent - law.error, 2) > 0:
        return "grows"
    if round(law.exponent + law.error, 2) < 0:
        return "falls"
    return "constant" if law.error < _KNOWN else "unknown"


def laws_text(found: Growth, *, reference: bool = False) -> str:
    """All laws in one phrase: ``time grows as L^1.97 ± 0.05, peak memory as L^2.00``; empty where none was found."""
    laws = _ordered(found.reference_laws if reference else found.laws)
    told = []
    for before, law in zip([None, *laws], laws, strict=False):
        text = law_text(law, found.symbol)
        repeated = before is not None and direction(before) == direction(law) == "grows"
        told.append(f"{law.quantity} {text.partition(' ')[2] if repeated else text}")
    return ", ".join(told)


def summary_of(series: Sequence[Growth], quantity: Quantity) -> str:
    """How ``quantity`` grows along all symbols: ``time grows as L^1.97 ± 0.05 and N^1.00, does not grow with C``."""
    laws = [(law, found.symbol) for found in series if (law := found.law(quantity)) is not None]
    growing = [power(law, symbol) for law, symbol in laws if direction(law) == "grows"]
    told = [f"grows as {' and '.join(growing)}"] if growing else []
    told += [law_text(law, symbol) for law, symbol in laws if direction(law) != "grows"]
    return f"{quantity} {', '.join(told)}" if told else ""


def _ordered(laws: Sequence[Law]) -> list[Law]:
    return sorted(laws, key=lambda law: QUANTITIES.index(law.quantity))
