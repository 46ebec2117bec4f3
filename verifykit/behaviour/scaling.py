"""The sizes at which a module is looked at to see how something grows."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from verifykit.spec.subject import Subject

# Elements of the inputs beyond which a size is too large to try.
MOST = 4_000_000
# What looking at one symbol may take, by the cost at its usual size.
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
    started = time.monotonic()
    look(dict(usual))
    usual_cost = time.monotonic() - started
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
