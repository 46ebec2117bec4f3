"""A curve in words."""

import math
from collections.abc import Iterator

from verifykit.results.identity import Break, Curve


def curve_rows(curve: Curve) -> Iterator[tuple[str, str]]:
    """Yield what is said of a curve: what, and the words."""
    if not _is_everywhere(curve):
        yield "finite", "; ".join(_interval(low, high) for low, high in curve.domain)
    yield "at 0", _number(curve.at_zero)
    yield "towards -∞", _limit(curve.at_minus_infinity)
    yield "towards +∞", _limit(curve.at_infinity)
    yield "goes", _pieces(curve)
    yield "kinks and jumps", "; ".join(break_texts(curve)) or "none"
    yield "steepest slope", "no bound" if curve.lipschitz is None else _number(curve.lipschitz)
    yield "values", _values(curve)


def break_texts(curve: Curve) -> list[str]:
    """Return each kink, jump and pole in a phrase, and that there are more where there are."""
    more = [f"about {curve.more_breaks} more"] if curve.more_breaks else []
    return [*map(_break, curve.breaks), *more]


def _break(one: Break) -> str:
    at = f"x = {_number(one.at)}"
    match one.kind:
        case "jump":
            return f"a jump of {_number(one.size)} at {at}"
        case "pole":
            return f"a pole at {at}"
        case "kink" if math.isinf(one.size):
            return f"an infinite slope at {at}"
        case "kink":
            return f"a kink at {at}, where the slope goes from {_number(one.before)} to {_number(one.after)}"


def _pieces(curve: Curve) -> str:
    told = [f"{kind}{_where(low, high, curve)}" for low, high, kind in curve.pieces]
    return ", ".join(told) + (", and so on" if curve.more_pieces else "")


def _where(low: float, high: float, curve: Curve) -> str:
    ends = (curve.domain[0][0], curve.domain[-1][1]) if curve.domain else (-math.inf, math.inf)
    if low == ends[0] and high == ends[1]:
        return " throughout"
    return f" {_interval(-math.inf if low == ends[0] else low, math.inf if high == ends[1] else high)}"


def _interval(low: float, high: float) -> str:
    if math.isinf(low):
        return "everywhere" if math.isinf(high) else f"up to {_number(high)}"
    return f"from {_number(low)}" if math.isinf(high) else f"from {_number(low)} to {_number(high)}"


def _values(curve: Curve) -> str:
    if curve.least is None and curve.greatest is None:
        return "no bounds"
    if curve.greatest is None:
        return f"at least {_number(curve.least)}"
    if curve.least is None:
        return f"at most {_number(curve.greatest)}"
    return f"between {_number(curve.least)} and {_number(curve.greatest)}"


def _is_everywhere(curve: Curve) -> bool:
    return curve.domain in ([], [(-math.inf, math.inf)])


def _limit(text: str) -> str:
    return text.replace("-inf", "-∞").replace("inf", "∞")


def _number(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "not defined"
    return f"{value:.6g}".replace("inf", "∞")
