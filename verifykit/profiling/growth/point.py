"""One size of a series: what a training step costs there."""

import contextlib
import math
import statistics
import timeit
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from verifykit.profiling.allocations import uses
from verifykit.profiling.device import time_on_device
from verifykit.profiling.growth.lines import Calls, count_calls
from verifykit.profiling.saved import saved_tensors
from verifykit.profiling.workload import Workload

# Seconds of one block of calls, of all blocks of one workload, and how many of them there are.
BLOCK, BLOCKS = 0.0005, 0.012
FEWEST, MOST = 5, 15
# No median is taken to be known better than this: where memory and code happen to lie changes it as much.
LEAST_NOISE = 0.05
# What a thread runs at least of the time that passes: the rest of the wait fell between two readings.
LEAST_SHARE = 0.1
SCHEDULER, NANOSECOND = Path("/proc/thread-self/schedstat"), 1e-9
# About how many steps one size costs a workload, its preparation included: to tell whether there is time for it.
STEPS = FEWEST + 6


@dataclass(frozen=True)
class Measured:
    """What one step costs at a size; ``noise`` is the relative standard deviation of ``seconds``; ``held`` are the
    bytes of inputs and the peak of the step above them.
    """

    size: int
    seconds: float
    noise: float
    peak: int
    saved: int
    held: int
    calls: Calls

    @property
    def operators(self) -> int:
        """The operators that forward dispatches."""
        return self.calls.operators.total()


def measure(loads: Sequence[Workload], size: int) -> list[Measured]:
    """Return what a step of each of ``loads`` costs, timed in turn so that a drift of the machine cancels. Whatever a
    module raises passes through.
    """
    with contextlib.ExitStack() as modes:
        for load in loads:
            modes.enter_context(load.training())
            modes.enter_context(load.default())
        counted = [_counted(load) for load in loads]
        times = _times(loads)
    return [
        Measured(size, *time, peak, saved, peak + sum(t.nbytes for t in load.inputs), calls)
        for load, time, (peak, saved, calls) in zip(loads, times, counted, strict=True)
    ]


def _counted(load: Workload) -> tuple[int, int, Calls]:
    calls = count_calls(load.forward)
    saved = sum(tensor.bytes for tensor in saved_tensors(load)) if load.differentiable else 0
    _, step = uses([load.step, load.step], cuda=load.cuda)
    return step.peak, saved, calls


def _times(loads: Sequence[Workload]) -> list[tuple[float, float]]:
    blocks = [_block(load) for load in loads]
    first = [block() for block in blocks]
    number = min(max(int(BLOCKS / max(*first, BLOCK)), FEWEST), MOST)
    rounds = [[block() for block in blocks] for _ in range(number)]
    return [_summary(list(times)) for times in zip(*rounds, strict=True)]


def _block(load: Workload) -> Callable[[], float]:
    if load.cuda:
        return lambda: time_on_device(load.step, BLOCK).median
    timer = timeit.Timer(load.step)
    number = max(1, int(BLOCK / timer.timeit(1)))
    return lambda: _running(timer, number) / number


def _running(timer: timeit.Timer, number: int) -> float:
    """Return the wall time of so many calls, less the time for which this thread waited for a processor: only steps
    longer than a slice of the scheduler have to wait, so on a busy machine that would look like a law.
    """
    before = _waited()
    wall = timer.timeit(number)
    return max(wall - (_waited() - before), wall * LEAST_SHARE)


def _waited() -> float:
    """Return the seconds that this thread has stood in a run queue (proc(5), schedstat), where the system tells."""
    try:
        return int(SCHEDULER.read_text().split()[1]) * NANOSECOND
    except (OSError, IndexError):
        return 0.0


def _summary(times: Sequence[float]) -> tuple[float, float]:
    """Return the median and its relative standard deviation, by the quartiles, as for normal noise."""
    low, median, high = statistics.quantiles(times, n=4, method="inclusive")
    spread = (high - low) / 1.35
    return median, max(LEAST_NOISE, 1.25 * spread / math.sqrt(len(times)) / median)
