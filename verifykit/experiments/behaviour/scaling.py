"""The sizes at which a module is looked at to see how something grows."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from verifykit.spec.subject import Subject

# Elements of the inputs beyond which a size is too large to try.
MOST = 4_000_000
# What looking at one symbol may take of this process, by the cost at its usual size: a busy machine looks no less.
SECONDS = 1.5


@dataclass(frozen=True)
class Series:
    """Sizes of one free symbol, all others being as usual, and what was seen at each."""

    symbol: str
    sizes: tuple[int, ...]
    seen: tuple[Any, ...]


def series(
    subject: Subject, choices: Sequence[tuple[int, ...]], look: Callable[[dict[str, int]], Any]
) -> Iterator[Series]:
    """Yield for each free symbol what ``look`` gives at the first of the ``choices`` all of whose sizes it accepts."""
    usual = subject.spec.usual_sizes
    usual_cost = min(_cost(look, usual) for _ in range(2))  # what is done once only, such as an import, does not count
    for symbol in usual:
        for sizes in choices:
            elements = sum(t.numel() for t in subject.draw({**usual, symbol: max(sizes)}))
            if elements > MOST or usual_cost * sum(sizes) / usual[symbol] > SECONDS:
                continue
            try:
                seen = tuple(look({**usual, symbol: size}) for size in sizes)
            except Exception:  # not sizes for this module
                continue
            yield Series(symbol, sizes, seen)
            break


def _cost(look: Callable[[dict[str, int]], Any], sizes: Mapping[str, int]) -> float:
    started = time.process_time()
    look(dict(sizes))
    return time.process_time() - started
