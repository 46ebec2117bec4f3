"""What is in the corpus, and what a right answer to each of its modules is.

A file of ``same/`` ends with ``EXPECTED``, its classes and functions by name with a :class:`Same` each; one of
``near/`` with a :class:`Near` each; in one of ``own/`` the values are :class:`Own`.
"""

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from verifykit.results.identity import Likeness

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Same:
    """A re-implementation: ``names`` are the spellings of the operation that are right, without arguments.

    ``up_to`` is a pattern for what makes it *identical up to*; empty for *identical*, and where an empty alternative
    stands in it (``"|reshaped"``), either relation is right. ``arguments`` is a pattern for those in the name.
    """

    names: str | tuple[str, ...]
    up_to: str = ""
    arguments: str = ""

    def is_found(self, likeness: Likeness | None) -> bool:
        """Whether it is said to equal the right operation, in whatever relation."""
        return (
            is_equal(likeness) and _is_one_of(likeness.name, self.names) and _has(self.arguments, _arguments(likeness))
        )

    def is_right(self, likeness: Likeness | None) -> bool:
        """Whether the relation is right as well."""
        if likeness is None or not self.is_found(likeness):
            return False
        if likeness.relation == "identical":
            return re.fullmatch(self.up_to, "") is not None
        return self.up_to != "" and _has(self.up_to, "; ".join(likeness.up_to))

    @property
    def text(self) -> str:
        """What is expected, for a table."""
        first = self.names if isinstance(self.names, str) else self.names[0]
        relation = f"identical up to /{self.up_to}/" if self.up_to else "identical"
        return f"{relation}: {first}"


@dataclass(frozen=True)
class Near:
    """A near miss of the operation that ``names`` spell; ``says`` is a pattern that naming the deviation matches.

    Where there is an operation with the very deviation, by an option or in its own right, ``option`` is a pattern for
    its name with arguments: that it may equal.
    """

    names: str | tuple[str, ...]
    says: str
    option: str = ""

    def is_claimed_equal(self, likeness: Likeness | None) -> bool:
        """Whether it is said to equal something, other than an operation with the very deviation."""
        return is_equal(likeness) and not self._is_option(likeness)

    def is_named(self, likeness: Likeness | None) -> bool:
        """Whether the operation and the deviation are named right."""
        if likeness is None or self.is_claimed_equal(likeness):
            return False
        if is_equal(likeness):
            return True
        said = "; ".join([*map(_words, likeness.deviations), *likeness.up_to])
        return likeness.relation == "close" and _is_one_of(likeness.name, self.names) and _has(self.says, said)

    @property
    def text(self) -> str:
        """What is expected, for a table."""
        return f"not {self.names if isinstance(self.names, str) else self.names[0]}, which says /{self.says}/"

    def _is_option(self, likeness: Likeness) -> bool:
        """Whether it is said to equal the operation with the option, or another by whose name the deviation goes."""
        if _is_one_of(likeness.name, self.names):
            return self.option != "" and _has(self.option, likeness.name)
        return not likeness.name.startswith("torch.") and _has(self.says, likeness.name)


@dataclass(frozen=True)
class Own:
    """No built-in. ``equal_up_to`` is the operation that it may be called equal to all the same, with the reason."""

    equal_up_to: str = ""
    reason: str = ""

    def allows(self, likeness: Likeness) -> bool:
        """Whether it does equal what it is said to equal."""
        return self.equal_up_to != "" and _is_one_of(likeness.name, self.equal_up_to)

    @property
    def text(self) -> str:
        """What is expected, for a table."""
        return f"{self.equal_up_to}: {self.reason}" if self.equal_up_to else "no built-in"


Expectation = Same | Near | Own


@dataclass(frozen=True)
class Entry:
    """One target of the corpus."""

    target: str
    family: str
    expected: Expectation


def entries(kind: type[Expectation]) -> list[Entry]:
    """Return those of one kind, by file and in the order in which they stand there."""
    return [entry for entry in _all() if isinstance(entry.expected, kind)]


def is_equal(likeness: Likeness | None) -> TypeGuard[Likeness]:
    """Whether equality of any kind is claimed."""
    return likeness is not None and likeness.relation in ("identical", "identical up to")


def _all() -> Iterator[Entry]:
    for path in sorted(HERE.glob("*/*.py")):
        if path.stem == "__init__":
            continue
        name = f"{__package__}.{path.parent.name}.{path.stem}"
        for attribute, expected in importlib.import_module(name).EXPECTED.items():
            yield Entry(f"{name}:{attribute}", path.stem, expected)


def _is_one_of(name: str, names: str | tuple[str, ...]) -> bool:
    """Whether ``name``, with or without its module, is one of ``names``; "focal loss" is FocalLoss."""
    known = {_folded(name) for name in ((names,) if isinstance(names, str) else names)}
    plain = name.partition("(")[0]
    return not known.isdisjoint((_folded(plain), _folded(plain.rpartition(".")[2])))


def _folded(name: str) -> str:
    return re.sub("[ _-]", "", name).lower()


def _words(deviation: str) -> str:
    """Return what names a deviation: of a counterexample, "at N = 1 its output is 2, torch.nn.X(dim=3) gives 4", which
    stands for no reason, neither the numbers nor the call.
    """
    if " gives " not in deviation:
        return deviation
    return re.sub(r"\b[A-Z]\b|[^A-Za-z_ ]", "", deviation.partition(" is ")[0]) + " gives"


def _arguments(likeness: Likeness) -> str:
    return likeness.name.partition("(")[2]


def _has(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None
