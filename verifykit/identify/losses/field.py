"""An elementary term of a loss before it is reduced."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import prod

from torch import Tensor

from verifykit.identify.losses.function import Values


@dataclass(frozen=True)
class Field:
    """A function of the inputs whose elements, added up, may be a term: ``mean`` and ``sum`` are how a person writes it
    under either reduction, ``cost`` orders fields that do the same, the plainest first. One that is ``pointwise`` acts
    on elements at the same place alone, and takes several points stacked.
    """

    mean: str
    sum: str
    of: Callable[[Values], Tensor]
    cost: int
    pointwise: bool = False


def field(text: str, of: Callable[[Values], Tensor], cost: int, *, pointwise: bool = False) -> Field:
    """Return the field of what ``text`` says of each element."""
    return Field(f"mean({text})", f"sum({text})", of, cost, pointwise)


def number(text: str, of: Callable[[Values], Tensor], cost: int) -> Field:
    """Return the field of one number, which needs no reduction."""
    return Field(text, text, of, cost)


def divisors(of: Field, sizes: Mapping[str, int], count: int) -> Iterator[tuple[str, float]]:
    """Yield what the sum of a field of ``count`` elements may be divided by at ``sizes``, and how that reads: nothing,
    any of the sizes, their number, or both, the plainest first.
    """
    if of.mean != of.sum:
        yield of.mean, float(count)
    yield of.sum, 1.0
    for rank in range(1, len(sizes) + 1):
        for some in combinations(sizes, rank):
            over = some[0] if rank == 1 else f"({'·'.join(some)})"
            yield f"{of.sum} / {over}", float(prod(sizes[name] for name in some))
    if of.mean != of.sum:
        yield from ((f"{of.mean} / {name}", float(count * size)) for name, size in sizes.items())


def typeset(text: str) -> str:
    """Return ``text`` with the signs that people read: fields are named in plain characters."""
    minus = "\N{MINUS SIGN}"
    return text.replace(" - ", f" {minus} ").replace("(-", f"({minus}")
