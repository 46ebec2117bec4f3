"""The law of a quantity that is counted, not timed: the sum of a few terms that gives every figure as it is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# So far may a figure be off: counts are rounded, and a padding or a border adds a little.
ABSOLUTE, RELATIVE = 0.5, 1e-4
# Figures beyond the number of terms: a sum that gives these too is no accident.
SPARE = 2
FEWEST = 4


@dataclass(frozen=True)
class Term:
    """``n**power``, times the logarithm of n with ``log``."""

    power: float
    log: bool = False

    def __call__(self, n: Floats) -> Floats:
        values: Floats = n**self.power * (np.log2(n) if self.log else 1.0)
        return values


CONSTANT = Term(0)
# Those met most often first, and from slow to fast.
PLAIN = (Term(1), Term(2), Term(3))
OTHERS = (Term(0, log=True), Term(0.5), Term(1), Term(1, log=True), Term(1.5), Term(2), Term(2, log=True), Term(3))


@dataclass(frozen=True)
class Sum:
    """``leading`` is the term that grows fastest, with its coefficient (``None`` where all is constant); the sum gives
    every figure from ``first`` on.
    """

    leading: Term | None
    coefficient: float
    constant: float
    first: int


def exact_sum(sizes: Sequence[int], counts: Sequence[int]) -> Sum | None:
    """Return the shortest sum that gives the longest series of ``counts`` which ends at the greatest size; ``None``
    where no sum gives the last four, or two more than it has terms.
    """
    n, y = np.asarray(sizes, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    for first in range(len(n) - FEWEST + 1):
        for terms in _sums(len(n) - first - SPARE):
            found = _solved(terms, n[first:], y[first:])
            if found is not None:
                leading = terms[-1] if terms[-1] != CONSTANT else None
                constant = max(float(found[0]), 0.0) if terms[0] == CONSTANT else 0.0
                return Sum(leading, float(found[-1]) if leading else 0.0, constant, first)
    return None


def _sums(most: int) -> Iterator[tuple[Term, ...]]:
    yield (CONSTANT,)
    choices: list[Callable[[int], Iterator[tuple[Term, ...]]]] = [
        lambda count: combinations((CONSTANT, *PLAIN), count),
        lambda count: combinations((CONSTANT, *OTHERS), count),
    ]
    for chosen in choices:
        for count in range(1, min(most, 4) + 1):
            yield from (terms for terms in chosen(count) if terms != (CONSTANT,) and (count < 4 or Term(3) in terms))


def _solved(terms: Sequence[Term], n: Floats, y: Floats) -> Floats | None:
    """Return the coefficients with which ``terms`` give every count and grow in the end, if there are any."""
    weights = 1 / np.maximum(y, 1.0)
    columns = np.stack([term(n) * weights for term in terms], axis=1)
    size = np.linalg.norm(columns, axis=0)
    found: Floats = np.linalg.lstsq(columns / size, y * weights, rcond=None)[0] / size
    given = sum(coefficient * term(n) for coefficient, term in zip(found, terms, strict=True))
    close = np.abs(given - y) <= np.maximum(ABSOLUTE, RELATIVE * y)
    grows = terms[-1] == CONSTANT or found[-1] * terms[-1](n)[-1] > ABSOLUTE
    return found if bool(close.all()) and bool(grows) else None
