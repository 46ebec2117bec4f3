"""Numbers that an author works out of those that a module mentions: 2·radius + 1, 1/sqrt(size)."""

import math
from collections.abc import Iterable, Iterator
from itertools import chain, islice, permutations

# Numbers of which others are worked out, the most telling.
_INTEGERS, _REALS = 4, 6


def derived_integers(mentioned: Iterable[int]) -> list[int]:
    """Return 2k + 1, 2k - 1, 2k, k² and k // 2 of the first positive k of ``mentioned``, the likeliest first."""
    known = list(islice((k for k in mentioned if k > 0), _INTEGERS))
    found = dict.fromkeys(
        (*(2 * k + 1 for k in known), *(2 * k - 1 for k in known), *(2 * k for k in known),
         *(k * k for k in known), *(k // 2 for k in known))
    )  # fmt: skip
    return [k for k in found if k > 0 and k not in known]


def derived_reals(mentioned: Iterable[float], sizes: Iterable[float]) -> list[float]:
    """Return what comes of the first numbers in ``mentioned`` and ``sizes``: products and ratios of two, one of them
    mentioned; 1/k, sqrt(k), 1/sqrt(k), ln k, 1 - k and k² of one.
    """
    known = list(islice((k for k in dict.fromkeys(mentioned) if k not in (0.0, 1.0)), _REALS))
    others = [k for k in islice(dict.fromkeys(sizes), _REALS) if k > 0]
    found = dict.fromkeys(chain(_of_two(known, others), *(_of_one(k) for k in dict.fromkeys((*known, *others)))))
    return [value for value in found if math.isfinite(value) and value not in known]


def _of_two(known: list[float], others: list[float]) -> Iterator[float]:
    for one in known:
        for other in others:
            yield one * other
            yield one / other
    for one, other in permutations(known[: _REALS // 2], 2):
        yield one * other
        yield one / other


def _of_one(k: float) -> Iterator[float]:
    yield 1 / k
    if k > 0:
        yield from (math.sqrt(k), 1 / math.sqrt(k), math.log(k))
    yield from (1 - k, k * k)
