"""What a definition is: an operation written out, with the ways in which implementations of it depart from it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from verifykit.identify.facts import Facts

Arguments = dict[str, Any]


@dataclass(frozen=True)
class Variant:
    """A value of an option that makes another operation of a definition; ``phrase`` says which. One that is ``usual``
    is found under the same name in the literature: worth a note, no mistake.
    """

    value: Any
    phrase: str
    usual: bool = False


@dataclass(frozen=True)
class Number:
    """A real argument: its usual values, the open interval that it lies in, and what else people call it."""

    usual: tuple[float, ...]
    low: float
    high: float
    names: tuple[str, ...] = ()


def no_sizes(facts: Facts) -> Iterable[Arguments]:
    """The arguments of an operation that takes none but options and numbers, and holds no state."""
    return [] if facts.parameters else [{}]


@dataclass(frozen=True)
class Definition:
    """An operation: ``make`` is a function of its inputs and arguments, or a class of modules with torch's names for
    its state. Called with the defaults of its arguments it is the operation as ``source`` defines it.

    ``names`` are what classes of it are called, ``builtin`` what torch calls it if it has it. ``takes`` are the numbers
    of inputs that it may be given. ``sizes`` yields the arguments that follow from the shapes at hand, none where these
    do not fit. ``bits`` says that its second input is to be 0 or 1.

    ``conventions`` are arguments of which every value is the operation, the commonest first;
    ``deviations`` name those values that are not.
    """

    operation: str
    make: Callable[..., Any]
    source: str
    names: tuple[str, ...]
    builtin: str = ""
    takes: tuple[int, ...] = (1,)
    sizes: Callable[[Facts], Iterable[Arguments]] = no_sizes
    numbers: Mapping[str, Number] = field(default_factory=dict)
    bits: bool = False
    conventions: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    deviations: Mapping[str, tuple[Variant, ...]] = field(default_factory=dict)
