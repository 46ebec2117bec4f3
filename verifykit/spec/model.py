"""The spec: constructor arguments, one entry per forward argument, and where each part of it came from."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

from verifykit.errors import SpecError, did_you_mean
from verifykit.results import InputFacts, OutputFacts, SpecFacts
from verifykit.spec.dims import Dim, evaluate, parse_dim, symbols
from verifykit.spec.domain import Below, Boolean, Domain, OneOf, Real, Simplex, Sorted, parse_domain

DType = Literal["float", "complex", "long", "bool"]

# Sizes for free symbols, in order of appearance: pairwise different primes, so that no two roles coincide.
USUAL_SIZES = (3, 7, 5, 11, 13, 17, 19, 23)

_INPUT = re.compile(r"^\s*(?P<dtype>\w+)\s*\[(?P<shape>[^\]]*)\]\s*(?:\bin\b\s*(?P<domain>.+?)\s*)?$")


@dataclass(frozen=True)
class InputSpec:
    """One forward argument. ``float`` and ``complex`` stand for the precision at hand, single or double."""

    name: str
    dtype: DType
    shape: tuple[Dim, ...]
    domain: Domain

    def __str__(self) -> str:
        suffix = "" if isinstance(self.domain, Real | Boolean) else f" in {self.domain}"
        return f"{self.name}: {self.dtype}[{', '.join(map(str, self.shape))}]{suffix}"

    @property
    def facts(self) -> InputFacts:
        """The same as plain data."""
        return InputFacts(self.name, self.dtype, list(self.shape), str(self.domain))

    @property
    def symbols(self) -> Iterator[str]:
        """The symbols of its shape and domain."""
        for dim in self.shape:
            yield from symbols(dim)
        if isinstance(self.domain, Below):
            yield from symbols(self.domain.bound)


def parse_input(name: str, text: str) -> InputSpec:
    """Return the input called ``name`` that ``text``, such as ``float[N, 5] in (0, 1)``, describes.

    Raises:
        SpecError: ``text`` does not have that form.
    """
    matched = _INPUT.match(text)
    if matched is None:
        raise SpecError(
            f"input {name!r}: {text!r} is malformed: expected DTYPE[DIM, ...], such as float[N, 5] in (0, 1)."
        )
    dtype = matched["dtype"]
    if dtype not in get_args(DType):
        known = ", ".join(get_args(DType))
        raise SpecError(
            f"input {name!r}: unknown dtype {dtype!r}: expected one of {known}.{did_you_mean(dtype, get_args(DType))}"
        )
    shape = tuple(parse_dim(dim) for dim in matched["shape"].split(",") if dim.strip())
    domain = parse_domain(matched["domain"]) if matched["domain"] else (Boolean() if dtype == "bool" else Real())
    whole = not isinstance(domain, OneOf) or all(value.is_integer() for value in domain.values)
    if dtype == "long" and (isinstance(domain, Real | Sorted | Simplex) or not whole):
        raise SpecError(
            f"input {name!r}: a long input needs its range: {dtype}[{matched['shape']}] in below K, or an interval."
        )
    return InputSpec(name, cast(DType, dtype), shape, domain)


@dataclass(frozen=True)
class Spec:
    """How to build and feed a target. ``sources`` maps ``init.NAME`` and ``inputs.NAME`` to where each came from;
    ``guesses`` names the inputs whose range nothing confirms: what is found with them may be due to that.
    """

    init: Mapping[str, Any]
    inputs: tuple[InputSpec, ...]
    sources: Mapping[str, str] = field(default_factory=dict)
    guesses: tuple[str, ...] = ()

    @property
    def bound(self) -> dict[str, int]:
        """Symbols that name an integer constructor argument, with its value."""
        return {name: value for name, value in self.init.items() if type(value) is int}

    @property
    def free(self) -> list[str]:
        """Symbols that any size may be given to, in order of appearance."""
        seen = dict.fromkeys(symbol for entry in self.inputs for symbol in entry.symbols)
        return [symbol for symbol in seen if symbol not in self.bound]

    @property
    def usual_sizes(self) -> dict[str, int]:
        """The size that each free symbol has where nothing else is asked for."""
        return dict(zip(self.free, USUAL_SIZES * (1 + len(self.free) // len(USUAL_SIZES)), strict=False))

    def shape(self, entry: InputSpec, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """Return the shape of ``entry`` where free symbols have ``sizes``."""
        known = {**self.bound, **sizes}
        return tuple(evaluate(dim, known) for dim in entry.shape)

    def facts(self, outputs: list[OutputFacts]) -> SpecFacts:
        """The same as plain data, with what is known of the outputs."""
        init = {name: _plain(value) for name, value in self.init.items()}
        return SpecFacts(init, [entry.facts for entry in self.inputs], outputs, dict(self.sources))


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return repr(value)
