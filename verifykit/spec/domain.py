"""The set that the elements of an input come from, as written after ``in``: ``x: float[N, 5] in (0, 1)``."""

import math
import re
from dataclasses import dataclass

from verifykit.errors import SpecError
from verifykit.spec.dims import Dim, parse_dim


@dataclass(frozen=True)
class Real:
    """Any value of the dtype."""

    def __str__(self) -> str:
        return "real"


@dataclass(frozen=True)
class Interval:
    """Values between ``low`` and ``high``; an end belongs to it where it is closed."""

    low: float
    high: float
    closed_low: bool
    closed_high: bool

    def __str__(self) -> str:
        left, right = "[" if self.closed_low else "(", "]" if self.closed_high else ")"
        return f"{left}{self.low:g}, {self.high:g}{right}"


@dataclass(frozen=True)
class Simplex:
    """Positive values that sum to one along the last dimension."""

    def __str__(self) -> str:
        return "simplex"


@dataclass(frozen=True)
class Below:
    """Integers from 0 up to, and without, ``bound``."""

    bound: Dim

    def __str__(self) -> str:
        return f"below {self.bound}"


@dataclass(frozen=True)
class Boolean:
    """True and False."""

    def __str__(self) -> str:
        return "boolean"


@dataclass(frozen=True)
class OneOf:
    """One of these numbers: labels that are -1 or 1."""

    values: tuple[float, ...]

    def __str__(self) -> str:
        return f"{{{', '.join(f'{value:g}' for value in self.values)}}}"


@dataclass(frozen=True)
class Sorted:
    """Any values, in increasing order along the last dimension."""

    def __str__(self) -> str:
        return "sorted"


Domain = Real | Interval | Simplex | Below | Boolean | OneOf | Sorted


def any_of(dtype: str) -> Domain:
    """Return the domain of numbers of a dtype where nothing is known of them: integers are 0 and 1."""
    return Below(2) if dtype == "long" else Boolean() if dtype == "bool" else Real()


_INTERVAL = re.compile(r"^([\[(])\s*([^,\s]+)\s*,\s*([^,\s]+)\s*([\])])$")
_EXPECTED = "expected real, an interval such as (0, 1) or [-1, inf), simplex, sorted, {-1, 1}, or below K"


def parse_domain(text: str) -> Domain:
    """Return the domain that ``text`` says.

    Raises:
        SpecError: it is none of the known forms, or an empty interval.
    """
    text = text.strip()
    if text == "real":
        return Real()
    if text == "simplex":
        return Simplex()
    if text == "boolean":
        return Boolean()
    if text == "sorted":
        return Sorted()
    if text.startswith("{") and text.endswith("}"):
        return OneOf(_numbers(text))
    if text.startswith("below "):
        return Below(parse_dim(text.removeprefix("below ")))
    if matched := _INTERVAL.match(text):
        try:
            low, high = float(matched[2]), float(matched[3])
        except ValueError:
            raise SpecError(f"{text!r} is not a domain: {_EXPECTED}.") from None
        if not low < high or math.isnan(low + high):
            raise SpecError(f"{text!r} is an empty interval: its first end must be below its second.")
        return Interval(low, high, matched[1] == "[", matched[4] == "]")
    raise SpecError(f"{text!r} is not a domain: {_EXPECTED}.")


def _numbers(text: str) -> tuple[float, ...]:
    try:
        values = tuple(sorted({float(word) for word in text[1:-1].split(",")}))
    except ValueError:
        raise SpecError(f"{text!r} is not a domain: {_EXPECTED}.") from None
    if not all(map(math.isfinite, values)):
        raise SpecError(f"{text!r} is not a domain: its numbers must be finite.")
    return values
