"""One size of a series: what a training step costs there."""

import contextlib
import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from verifykit.profiling.allocations import uses
from verifykit.profiling.device import time_on_device
from verifykit.profiling.growth.lines import Calls, count_calls
from verifykit.profiling.growth.work import Work, count
from verifykit.profiling.saved import saved_tensors
from verifykit.profiling.workload import Workload

# Seconds of one block of calls; a step that takes less is warmed up by as long.
BLOCK = 0.0005
# No time is taken to be known better than this: where memory and code happen to lie changes it as much.
LEAST_NOISE = 0.05
# What a block waits at most for a processor, as a share of its time, and how often it is tried until one waits less.
WAITING, TRIES = 0.1, 3
# What a thread runs at least of the time that passes: the rest of the wait fell between two readings.
LEAST_SHARE = 0.5
SCHEDULER, NANOSECOND = Path("/proc/thread-self/schedstat"), 1e-9
# What the system takes at most to hand out a page of memory anew: in a virtual machine; without, a quarter.
SECONDS_PER_PAGE = 1e-6


@dataclass(frozen=True)
class Measured:
    """What one step costs at a size; ``noise`` is the relative standard deviation of ``seconds``, and ``paging`` the
    share of them, about, that goes into memory which the system hands out anew; ``held`` are the bytes of inputs and
    the peak of the step above them.
    """

    size: int
    seconds: float
    noise: float
    paging: float
    peak: int
    saved: int
    held: int
    calls: Calls
    work: Work

    @property
    def operators(self) -> int:
        """The operators that forward dispatches."""
        return self.calls.operators.total()

    @property
    def uncertainty(self) -> float:
        """How well the time is known that a law can describe: paging sets in at some size and would look like one."""
        return math.hypot(self.noise, self.paging)


class Point:
    """The workloads at one size, timed as often as there is time for, in turn so that a drift of the machine cancels.
    Whatever a module raises passes through.
    """

    def __init__(self, loads: Sequence[Workload], size: int) -> None:
        self.size = size
        self._loads = loads
        self._blocks: list[list[tuple[float, float]]] = [[] for _ in loads]
        with self._running():
            self._counted = [_counted(load) for load in loads]
            # A first look, at single calls that are warm, tells how many make up a block.
            self._once = [min(_block(load, 1)[0] for _ in range(2)) for load in loads]
        self.look()

    @property
    def kept(self) -> int:
        """Bytes that stay in use until this is dropped."""
        tensors = [t for load in self._loads for t in (*load.inputs, *load.cotangents, *load.module.parameters())]
        return sum(t.numel() * t.element_size() for t in tensors)

    def look(self) -> None:
        """Time a block of steps of each workload."""
        with self._running():
            for place, (load, blocks) in enumerate(zip(self._loads, self._blocks, strict=True)):
                blocks.append(_block(load, max(1, int(BLOCK / self._once[place]))))
                self._once[place] = min(self._once[place], blocks[-1][0])

    def measured(self) -> list[Measured]:
        """Return what is known so far."""
        found = []
        for load, blocks, (peak, saved, calls, work) in zip(self._loads, self._blocks, self._counted, strict=True):
            seconds, noise = _summary([seconds for seconds, _ in blocks])
            paging = statistics.median(pages for _, pages in blocks) * SECONDS_PER_PAGE / seconds
            held = peak + sum(t.nbytes for t in load.inputs)
            found.append(Measured(self.size, seconds, noise, paging, peak, saved, held, calls, work))
        return found

    @contextlib.contextmanager
    def _running(self) -> Iterator[None]:
        with contextlib.ExitStack() as modes:
            for load in self._loads:
                modes.enter_context(load.training())
                modes.enter_context(load.default())
            yield


def _counted(load: Workload) -> tuple[int, int, Calls, Work]:
    calls = count_calls(load.forward)
    saved = sum(tensor.bytes for tensor in saved_tensors(load)) if load.differentiable else 0
    _, step = uses([load.step, load.step], cuda=load.cuda)
    return step.peak, saved, calls, count(load.step)


def _block(load: Workload, number: int) -> tuple[float, float]:
    """Return the seconds of one of ``number`` steps, and the pages that the system hands out to it."""
    if load.cuda:
        return time_on_device(load.step, BLOCK).median, 0.0
    if number > 1:
        _repeat(load.step, number)
    tried = []
    for _ in range(TRIES):
        waited, faults = _waited(), _page_faults()
        wall = _repeat(load.step, number)
        waited, faults = _waited() - waited, _page_faults() - faults
        tried.append((waited / wall, max(wall - waited, wall * LEAST_SHARE) / number, faults / number))
        if waited <= WAITING * wall or wall > BLOCK * 20:
            break
    # A step longer than a slice of the scheduler has to wait on a busy machine, which would look like a law.
    _, seconds, pages = min(tried)
    return seconds, pages


def _repeat(step: Callable[[], None], number: int) -> float:
    started = time.perf_counter()
    for _ in range(number):
        step()
    return time.perf_counter() - started


def _waited() -> float:
    """Return the seconds that this thread has stood in a run queue (proc(5), schedstat), where the system tells."""
    try:
        return int(SCHEDULER.read_text().split()[1]) * NANOSECOND
    except (OSError, IndexError):
        return 0.0


def _page_faults() -> int:
    """Return how many pages of memory the system has handed to this thread, where it tells."""
    try:
        import resource
    except ImportError:  # not on Windows
        return 0
    return resource.getrusage(getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)).ru_minflt


def _summary(times: Sequence[float]) -> tuple[float, float]:
    """Return the lower quartile, above which is what the machine was disturbed by, and its relative deviation."""
    if len(times) == 1:
        return times[0], 2 * LEAST_NOISE
    low, middle, _ = statistics.quantiles(times, n=4, method="inclusive")
    return low, max(LEAST_NOISE, 1.5 * (middle - low) / low / math.sqrt(len(times)))
