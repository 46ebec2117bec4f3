"""Wall time by ``torch.utils.benchmark``, several workloads in turn so that a drift of the machine cancels."""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.benchmark import Measurement, Timer

from verifykit.profiling.device import time_on_device
from verifykit.profiling.interval import ratio_of
from verifykit.profiling.workload import Workload
from verifykit.results.performance import Ratio, Timing

Run = Callable[[], Any]


@dataclass(frozen=True)
class Effort:
    """How long to time: so many rounds, in each of which every workload runs for so many seconds, and once at least.
    Of slow ones there are fewer rounds, to stay within ``most`` seconds a workload, but no fewer than ``LEAST_ROUNDS``.
    """

    rounds: int
    seconds: float
    most: float


QUICK = Effort(rounds=9, seconds=0.008, most=0.3)
THOROUGH = Effort(rounds=15, seconds=0.04, most=2.0)
# The fewest that give a ratio an interval of 95 % confidence.
LEAST_ROUNDS = 6


@dataclass(frozen=True)
class Rounds:
    """One time, in seconds a call, of each round, and over all rounds."""

    timing: Timing
    medians: tuple[float, ...]


@dataclass(frozen=True)
class Times:
    """Forward, backward alone over a graph that is kept, and a training step; ``None`` where nothing can be
    differentiated.
    """

    forward: Rounds
    backward: Rounds | None
    step: Rounds | None


def time_alternately(workloads: Sequence[Workload], effort: Effort = THOROUGH) -> list[Times]:
    """Return the times of each workload: in each round all run in turn, A B then B A."""
    forwards = _rounds(workloads, [load.forward for load in workloads], effort)
    backwards = _rounds(workloads, [_backward(load) for load in workloads], effort)
    with contextlib.ExitStack() as modes:
        for load in workloads:
            modes.enter_context(load.training())
        steps = _rounds(workloads, [load.step if load.differentiable else None for load in workloads], effort)
    return [
        Times(forward, backward, step)
        for forward, backward, step in zip(forwards, backwards, steps, strict=True)
        if forward is not None
    ]


def compared(own: Rounds | None, other: Rounds | None) -> Ratio | None:
    """Return the ratio of what was timed in turn, ``None`` where one of the two was not."""
    return ratio_of(own.medians, other.medians) if own and other else None


def _backward(load: Workload) -> Run | None:
    with load.default():
        return load.vjp(load.outputs(load.forward())) if load.differentiable else None


def _rounds(workloads: Sequence[Workload], runs: Sequence[Run | None], effort: Effort) -> list[Rounds | None]:
    timers = {i: _timer(workloads[i], run, effort) for i, run in enumerate(runs) if run is not None}
    measured: dict[int, list[Measurement]] = {i: [] for i in timers}

    def round_(order: Iterable[int]) -> float:
        for i in order:
            with workloads[i].default():
                measured[i].append(timers[i]())
        return max((measured[i][-1].median for i in timers), default=0.0)

    slowest = round_(timers)  # which warms up as well
    affordable = int(effort.most / max(slowest, effort.seconds))
    for number in range(max(LEAST_ROUNDS, min(effort.rounds, affordable))):
        round_(timers if number % 2 else reversed(timers))
    return [_merged(measured[i][1:]) if i in measured else None for i in range(len(runs))]


def _timer(load: Workload, run: Run, effort: Effort) -> Callable[[], Measurement]:
    if load.cuda:
        return lambda: time_on_device(run, effort.seconds)
    timer = Timer("run()", globals={"run": run}, num_threads=torch.get_num_threads())
    return lambda: _timed(timer, effort.seconds)


def _timed(timer: Timer, seconds: float) -> Measurement:
    once = timer.timeit(1)
    return once if once.median > seconds else timer.blocked_autorange(min_run_time=seconds)


def _merged(measurements: list[Measurement]) -> Rounds:
    times = torch.tensor([time for m in measurements for time in m.times], dtype=torch.float64)
    low, median, high = torch.quantile(times, torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)).tolist()
    runs = sum(len(m.raw_times) * m.number_per_run for m in measurements)
    return Rounds(Timing(median, high - low, runs), tuple(m.median for m in measurements))
