"""How many operators each line calls, and at which lines that grows."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch.overrides import TorchFunctionMode

from verifykit.results import Location
from verifykit.results.growth import LineGrowth
from verifykit.tracing import OperatorMode, user_line

# What autograd calls to save an output of an operator; only a mode sees it as an operator of its own.
BOOKKEEPING = (torch.ops.aten.detach.default,)
# Growth that levels off is no loop over this size: what one more unit costs may fall by no more than this.
LEVEL = 0.9
# What a line calls most at least, as a multiple of what it calls at the least size.
GROWS = 1.5


@dataclass
class Calls:
    """By line, the operators dispatched, and the calls from Python that led to them."""

    operators: Counter[Location | None] = field(default_factory=Counter)
    python: Counter[Location | None] = field(default_factory=Counter)


class Counted(Protocol):
    """A size, and what was called at it."""

    @property
    def size(self) -> int: ...
    @property
    def calls(self) -> Calls: ...


class _Functions(TorchFunctionMode):
    def __init__(self, calls: Calls) -> None:
        super().__init__()
        self.calls = calls

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        self.calls.python[user_line()] += 1
        return func(*args, **(kwargs or {}))


class _Operators(OperatorMode):
    def __init__(self, calls: Calls) -> None:
        super().__init__()
        self.calls = calls

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func not in BOOKKEEPING:
            self.calls.operators[user_line()] += 1
        return func(*args, **(kwargs or {}))


def count_calls(run: Callable[[], Any]) -> Calls:
    """Return what one ``run`` calls, by running it under one mode after the other: each hides the other's line."""
    calls = Calls()
    with _Functions(calls):
        run()
    with _Operators(calls):
        run()
    return calls


def growing_lines(points: Sequence[Counted]) -> list[LineGrowth]:
    """Return the lines that call more operators the greater the size, those that call the most first.

    Only lines that call more from Python count: a recurrent layer of torch may loop inside, which no line can help.
    """
    if len(points) < 3:
        return []
    lines = [line for line, _ in points[-1].calls.operators.most_common()]
    found = []
    for line in lines:
        operators = [(point.size, point.calls.operators[line]) for point in points]
        python = [(point.size, point.calls.python[line]) for point in points]
        if _grows(operators) and _grows(python):
            found.append(LineGrowth(line, _slopes(operators)[1]))
    return sorted(found, key=lambda growth: -growth.per_unit)


def _grows(counts: Sequence[tuple[int, int]]) -> bool:
    before, last = _slopes(counts)
    return before > 0 and last >= LEVEL * before and counts[-1][1] >= GROWS * counts[0][1]


def _slopes(counts: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Return what one more unit costs in the middle of the sizes, and at their upper end."""
    last = len(counts) - 1
    (n1, c1), (n2, c2), (n3, c3) = counts[last // 3], counts[2 * last // 3], counts[last]
    return (c2 - c1) / (n2 - n1), (c3 - c2) / (n3 - n2)
