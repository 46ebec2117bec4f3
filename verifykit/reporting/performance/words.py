"""Sizes and laws of growth in words: plain text, to be escaped by whoever shows it."""

from collections.abc import Mapping, Sequence
from typing import Literal

from verifykit.results.growth import Growth, Law, Quantity

QUANTITIES: tuple[Quantity, ...] = ("time", "peak memory", "saved bytes", "operators")

_PLURAL = ("saved bytes", "operators")

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
    plural = law.quantity in _PLURAL
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


def laws_text(found: Growth) -> str:
    """All laws in one phrase: ``time grows as L^1.97 ± 0.05, peak memory as L^2.00, operators do not grow``, and where
    none of time was found, that and why.
    """
    told = _phrase(_ordered(found.laws), found.symbol)
    if found.law("time") is None:
        told.append(f"no law of time was found along {found.symbol} (why: {found.stopped})")
    return ", ".join(told)


def reference_text(found: Growth) -> str:
    """In what the laws of the reference differ by more than their uncertainty; empty where there is none."""
    if not found.reference_points and not found.reference_laws:
        return ""
    theirs = [law for law in _ordered(found.reference_laws) if not _alike(law, found.law(law.quantity))]
    told = _phrase(theirs, found.symbol)
    if found.law("time") is not None and found.law("time", reference=True) is None:
        told.append("no law of time was found")
    return f"of the reference, {', '.join(told)}" if told else "the reference's laws do not differ"


def summary_of(series: Sequence[Growth], quantity: Quantity) -> str:
    """How ``quantity`` grows along all symbols: ``time grows as L^1.97 ± 0.05 and N^1.00, does not grow with C``."""
    laws = [(law, found.symbol) for found in series if (law := found.law(quantity)) is not None]
    growing = [power(law, symbol) for law, symbol in laws if direction(law) == "grows"]
    told = [f"grows as {' and '.join(growing)}"] if growing else []
    flat = [symbol for law, symbol in laws if direction(law) == "constant" and not law.also]
    told += [law_text(law, symbol) for law, symbol in laws if direction(law) != "grows" and symbol not in flat]
    if flat:
        told.append(f"does not grow with {_listed(flat)}")
    return f"{quantity} {', '.join(told)}" if told else ""


def _phrase(laws: Sequence[Law], symbol: str) -> list[str]:
    """A part for each law, those of what does not grow as one, at the end."""
    flat = [law for law in laws if direction(law) == "constant" and not law.also]
    told: list[str] = []
    before = None
    for law in laws:
        if law in flat:
            continue
        text = law_text(law, symbol)
        repeated = before is not None and direction(before) == direction(law) == "grows"
        told.append(f"{law.quantity} {text.partition(' ')[2] if repeated else text}")
        before = law
    if flat:
        names = [law.quantity for law in flat]
        plural = len(flat) > 1 or names[0] in _PLURAL
        told.append(f"{_listed(names)} {'do' if plural else 'does'} not grow")
    return told


def _alike(one: Law, other: Law | None) -> bool:
    return other is not None and abs(one.exponent - other.exponent) <= one.error + other.error


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _ordered(laws: Sequence[Law]) -> list[Law]:
    return sorted(laws, key=lambda law: QUANTITIES.index(law.quantity))
