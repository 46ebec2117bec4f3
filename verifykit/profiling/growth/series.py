"""The sizes of a series: each twice the one before, until the time, the memory or the module says stop."""

import itertools
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

from verifykit.errors import one_line
from verifykit.profiling.growth.point import STEPS, Measured, measure
from verifykit.profiling.workload import DTYPE, Workload, reference_workload, workload
from verifykit.spec.reference import Reference
from verifykit.spec.subject import Subject

FIRST, LARGEST = 4, 2**22
# Sizes that nearly every module takes: where one is refused, multiples of the size that was given are tried instead.
COMMON = (8, 16, 32)
# Where doubling gives fewer, sizes between the greatest are added while there is time: there the law is to be seen.
POINTS = 14
ONCE = 1.0
# The share of the free memory that a step may take; and the bytes above which the host maps memory anew at each step,
# which makes a unit several times dearer: where there are enough points already, the series ends before.
MEMORY, MAPPED = 0.1, 48 * 2**20
ENOUGH = 8
# The share of the time after which no greater size is tried: the rest is for sizes between, and for second looks.
UPWARD = 0.75
# A time so far above the line between its neighbours, in logarithms, was disturbed: a sum of powers lies below it.
ABOVE = 1.08
# Elements of all inputs together.
ELEMENTS = 2**27


@dataclass(frozen=True)
class Series:
    """What was measured, in order of size, and why it went no further."""

    own: list[Measured] = field(default_factory=list)
    reference: list[Measured] = field(default_factory=list)
    stopped: str = ""


class _Stop(Exception):
    """There is no going on, and why."""


def series(
    subject: Subject, reference: Reference | None, symbol: str, sizes: Mapping[str, int], *, seconds: float
) -> Series:
    """Return what steps of the subject and of the reference cost at sizes of ``symbol``, in about ``seconds``."""
    taken = _Taken(subject, reference, symbol, sizes, time.perf_counter() + UPWARD * seconds)
    stopped = f"{LARGEST} is large enough"
    try:
        for size in _doubling(taken):
            taken.take(size)
    except _Stop as stop:
        stopped = str(stop)
    taken.deadline += (1 - UPWARD) * seconds
    for again in itertools.chain(taken.between(), taken.disturbed()):
        try:
            taken.take(again)
        except _Stop:
            continue
    return Series(_ordered(taken.own), _ordered(taken.reference), stopped)


def _ordered(points: Mapping[int, Measured]) -> list[Measured]:
    return [points[size] for size in sorted(points)]


class _Taken:
    """What has been measured so far, and whether there is room for more."""

    def __init__(
        self,
        subject: Subject,
        reference: Reference | None,
        symbol: str,
        sizes: Mapping[str, int],
        deadline: float,
    ) -> None:
        self.own: dict[int, Measured] = {}
        self.reference: dict[int, Measured] = {}
        self.deadline = deadline
        self._seconds = deadline - time.perf_counter()
        self._subject, self._reference = subject, reference
        self._symbol, self._sizes = symbol, dict(sizes)
        self._walls: dict[int, float] = {}
        self._memory = MEMORY * _free_memory(subject.device)
        self._mapped = MAPPED if torch.device(subject.device).type == "cpu" else math.inf

    def take(self, size: int) -> None:
        """Measure at ``size``; small sizes that the module refuses are passed over. Of two looks the faster counts.

        Raises:
            _Stop: there is no time or memory for it, or the module refuses it after having accepted smaller ones.
        """
        self._look_ahead(size)
        try:
            started = time.perf_counter()
            if not self.own:
                # What is done once only in a process, such as an import, is neither this size's cost nor off the time.
                self._measured(size)
                self.deadline += min(time.perf_counter() - started, ONCE)
                started = time.perf_counter()
            found = self._measured(size)
        except _Stop:
            raise
        except Exception as error:  # the module's own
            if self.own:
                raise _Stop(f"the module refuses {self._symbol} = {size}: {one_line(error)}") from error
            return
        self._walls[size] = time.perf_counter() - started
        for points, new in zip((self.own, self.reference), found, strict=False):
            points[size] = min(points.get(size, new), new, key=lambda point: point.seconds)

    def accepts(self, size: int) -> bool:
        """Whether the module can be called with ``size``."""
        known = self._at(size)
        try:
            with torch.no_grad():
                self._subject.call(self._subject.build(DTYPE), self._subject.draw(known, DTYPE))
        except Exception:  # the module's own
            return False
        return True

    @property
    def given(self) -> int:
        """The size that the symbol has where it is not varied."""
        return self._at(None)[self._symbol]

    def between(self) -> list[int]:
        """Sizes halfway between the greatest that were measured, the greatest first."""
        there = sorted(self.own, reverse=True)
        return [size * 3 // 2 for size in there[: len(there) // 2] if size % 2 == 0][: max(0, POINTS - len(there))]

    def disturbed(self) -> list[int]:
        """The sizes whose time lies above the line between its neighbours, where the machine was busy with others."""
        above: dict[int, float] = {}
        for points in (_ordered(self.own), _ordered(self.reference)):
            for before, point, after in zip(points, points[1:], points[2:], strict=False):
                place = math.log(point.size / before.size) / math.log(after.size / before.size)
                line = before.seconds ** (1 - place) * after.seconds**place
                above[point.size] = max(above.get(point.size, 0.0), point.seconds / line)
        return sorted((size for size in above if above[size] > ABOVE), key=lambda size: -above[size])

    def _at(self, size: int | None) -> dict[str, int]:
        known = {**self._subject.spec.usual_sizes, **self._sizes}
        return known if size is None else {**known, self._symbol: size}

    def _measured(self, size: int) -> list[Measured]:
        known = self._at(size)
        loads = [workload(self._subject, known)]
        with_reference = self._with_reference(loads, known)
        started = time.perf_counter()
        loads[0].step()
        once = time.perf_counter() - started
        if not self.own and once * STEPS * len(with_reference) > self._seconds:
            raise _Stop("the time is up")
        try:
            return measure(with_reference, size)
        except Exception:
            if len(with_reference) == 1:
                raise
            return measure(loads, size)

    def _with_reference(self, loads: list[Workload], known: dict[str, int]) -> list[Workload]:
        if self._reference is None:
            return loads
        try:
            return [*loads, reference_workload(self._subject, self._reference, known)]
        except Exception:  # the reference's own: the target's series goes on without it
            return loads

    def _look_ahead(self, size: int) -> None:
        entries = self._subject.spec.inputs
        if sum(math.prod(self._subject.spec.shape(entry, self._at(size))) for entry in entries) > ELEMENTS:
            raise _Stop(f"the inputs have more than {ELEMENTS} elements at {self._symbol} = {size}")
        if self.own and time.perf_counter() + self._predicted(size, lambda p: self._walls[p.size]) > self.deadline:
            raise _Stop("the time is up")
        most = self._memory if len(self.own) < ENOUGH else min(self._memory, self._mapped)
        if self.own and self._predicted(size, lambda point: float(point.held)) > most:
            raise _Stop(f"a step at {self._symbol} = {size} takes too much memory")

    def _predicted(self, size: int, cost: Callable[[Measured], float]) -> float:
        """Return the cost at ``size``: growing on from the nearest smaller sizes as it did between them."""
        points = [point for point in _ordered(self.own) if point.size <= size]
        if points and points[-1].size == size:
            return cost(points[-1])
        if len(points) < 2:
            return cost(points[-1]) * 4 if points else 0.0
        before, last = points[-2:]
        grown = max(cost(last) / max(cost(before), 1e-9), 1.0)
        return cost(last) * float(grown ** (math.log(size / last.size) / math.log(last.size / before.size)))


def _doubling(taken: _Taken) -> list[int]:
    first = FIRST
    if not all(taken.accepts(size) for size in COMMON):
        first = taken.given
        while first > FIRST and first % 2 == 0:
            first //= 2
    return list(itertools.takewhile(lambda size: size <= LARGEST, (first * 2**k for k in range(40))))


def _free_memory(device: str) -> float:
    if torch.device(device).type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
