"""The sizes of a series: each twice the one before, until the time, the memory or the module says stop."""

import itertools
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

from verifykit.errors import one_line
from verifykit.profiling.growth.point import Measured, Point
from verifykit.profiling.workload import DTYPE, Workload, reference_workload, workload
from verifykit.spec.reference import Reference
from verifykit.spec.subject import Subject

FIRST, LARGEST = 4, 2**22
# Sizes that nearly every module takes: where one is refused, multiples of the size that was given are tried instead.
COMMON = (8, 16, 32)
# Seconds of what is done once only in a process, such as an import, that are not off the time of the series.
ONCE = 1.0
# The share of the free memory that a step may take, and all that is kept to be timed again.
MEMORY = 0.1
# The bytes of a tensor for which glibc always asks the system anew, and the share of the time of a step that goes into
# such: beyond, a unit costs several times more, and where there are enough points already the series ends before.
MAPPED, PAGING = 32 * 2**20, 0.2
ENOUGH = 8
# The shares of the time after which no greater size is tried, and none between; the rest is for looking again.
UPWARD, BETWEEN = 0.45, 0.7
# About how many steps a size costs a workload, its preparation included: to tell whether there is time for it.
STEPS = 10
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
    taken = _Taken(subject, reference, symbol, sizes, seconds)
    stopped = f"{LARGEST} is large enough"
    try:
        for size in _doubling(taken):
            taken.take(size, UPWARD)
    except _Stop as stop:
        stopped = str(stop)
    for size in taken.between():
        try:
            taken.take(size, BETWEEN)
        except _Stop:
            continue
    taken.look_again()
    return Series(*taken.measured(), stopped)


class _Taken:
    """What has been measured so far, and whether there is room for more."""

    def __init__(
        self, subject: Subject, reference: Reference | None, symbol: str, sizes: Mapping[str, int], seconds: float
    ) -> None:
        self._seconds, self._started = seconds, time.perf_counter()
        self._subject, self._reference = subject, reference
        self._symbol, self._sizes = symbol, dict(sizes)
        self._points: dict[int, Point] = {}
        self._figures: dict[int, list[Measured]] = {}
        self._walls: dict[int, float] = {}
        self._memory = MEMORY * _free_memory(subject.device)

    def take(self, size: int, share: float) -> None:
        """Measure at ``size`` until ``share`` of the time is over; small sizes that the module refuses are passed over.

        Raises:
            _Stop: there is no time or memory for it, or the module refuses it after having accepted smaller ones.
        """
        self._look_ahead(size, share)
        try:
            started = time.perf_counter()
            if not self._figures:
                self._point(size)
                self._started += min(time.perf_counter() - started, ONCE)
                started = time.perf_counter()
            point = self._point(size)
        except _Stop:
            raise
        except Exception as error:  # the module's own
            if self._figures:
                raise _Stop(f"the module refuses {self._symbol} = {size}: {one_line(error)}") from error
            return
        self._walls[size] = time.perf_counter() - started
        self._figures[size] = point.measured()
        if sum(kept.kept for kept in [*self._points.values(), point]) <= self._memory:
            self._points[size] = point

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
        """Sizes halfway between the upper two thirds of those that were measured, the greatest first."""
        there = sorted(self._figures, reverse=True)
        return [size * 3 // 2 for size in there[: len(there) * 2 // 3] if size % 2 == 0 and size < LARGEST]

    def look_again(self) -> None:
        """Time all sizes in turn, as often as there is time for, the greatest first while there is."""
        costs = dict.fromkeys(self._points, 0.0)
        looked = True
        while looked:
            looked = False
            for size in sorted(self._points, reverse=True):
                started = time.perf_counter()
                if started + costs[size] > self._started + self._seconds:
                    continue
                try:
                    self._points[size].look()
                except Exception:  # the module's own: what it did before stands
                    costs[size] = math.inf
                    continue
                costs[size] = time.perf_counter() - started
                looked = True
        self._figures |= {size: point.measured() for size, point in self._points.items()}

    def measured(self) -> tuple[list[Measured], list[Measured]]:
        """Return the figures of the subject and of the reference, in order of size."""
        figures = [self._figures[size] for size in sorted(self._figures)]
        return [found[0] for found in figures], [found[1] for found in figures if len(found) > 1]

    def _at(self, size: int | None) -> dict[str, int]:
        known = {**self._subject.spec.usual_sizes, **self._sizes}
        return known if size is None else {**known, self._symbol: size}

    def _point(self, size: int) -> Point:
        known = self._at(size)
        loads = [workload(self._subject, known)]
        with_reference = self._with_reference(loads, known)
        started = time.perf_counter()
        loads[0].step()
        once = time.perf_counter() - started
        if not self._figures and once * STEPS * len(with_reference) > self._seconds:
            raise _Stop("the time is up")
        try:
            return Point(with_reference, size)
        except Exception:
            if len(with_reference) == 1:
                raise
            return Point(loads, size)

    def _with_reference(self, loads: list[Workload], known: dict[str, int]) -> list[Workload]:
        if self._reference is None:
            return loads
        try:
            return [*loads, reference_workload(self._subject, self._reference, known)]
        except Exception:  # the reference's own: the target's series goes on without it
            return loads

    def _look_ahead(self, size: int, share: float) -> None:
        entries = self._subject.spec.inputs
        if sum(math.prod(self._subject.spec.shape(entry, self._at(size))) for entry in entries) > ELEMENTS:
            raise _Stop(f"the inputs have more than {ELEMENTS} elements at {self._symbol} = {size}")
        if not self._figures:
            return
        spent = time.perf_counter() - self._started
        if spent + self._predicted(size, lambda point: self._walls[point.size]) > share * self._seconds:
            raise _Stop("the time is up")
        if self._predicted(size, lambda point: float(point.held)) > self._memory:
            raise _Stop(f"a step at {self._symbol} = {size} takes too much memory")
        if len(self._figures) >= ENOUGH and self._is_paging(size):
            raise _Stop(
                f"at {self._symbol} = {size} the system has to hand out memory anew at each step, which takes time"
            )

    def _is_paging(self, size: int) -> bool:
        before = [self._figures[smaller][0] for smaller in self._figures if smaller < size]
        if torch.device(self._subject.device).type != "cpu" or not before:
            return False
        last = max(before, key=lambda point: point.size)
        return last.paging > PAGING or self._predicted(size, lambda point: float(point.work.largest)) > MAPPED

    def _predicted(self, size: int, cost: Callable[[Measured], float]) -> float:
        """Return the cost at ``size``: growing on from the nearest smaller sizes as it did between them."""
        points = [self._figures[smaller][0] for smaller in sorted(self._figures) if smaller <= size]
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
