"""Wall time by ``torch.utils.benchmark``, several workloads in turn so that a drift of the machine cancels."""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.benchmark import Measurement, Timer

from verifykit.profiling.device import time_on_device
from verifykit.profiling.interval import ratio_of
from verifykit.profiling.workload import Workload
from verifykit.results.cost import Ratio, Timing

Run = Callable[[], Any]

# The fewest rounds that give a ratio an interval of 95 % confidence, and the blocks of calls in each.
LEAST_ROUNDS = 6
BLOCKS = 4


@dataclass(frozen=True)
class Effort:
    """How long to time: so many rounds, in each of which every workload runs for so many seconds, and once at least.
    Of slow ones there are fewer rounds, to stay within ``most`` seconds a workload, but no fewer than ``LEAST_ROUNDS``.
    """

    rounds: int
    seconds: float
    most: float


QUICK = Effort(rounds=9, seconds=0.008, most=0.3)
THOROUGH = Effort(rounds=15, seconds=0.025, most=1.5)


@dataclass(frozen=True)
class Rounds:
    """The time over all rounds, and the fastest block of each, in seconds a call: what else runs on the machine only
    ever adds, so these are what two workloads are compared by.
    """

    timing: Timing
    fastest: tuple[float, ...]


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
    return ratio_of(own.fastest, other.fastest) if own and other else None


def _backward(load: Workload) -> Run | None:
    with load.default():
        return load.vjp(load.outputs(load.forward())) if load.differentiable else None


def _rounds(workloads: Sequence[Workload], runs: Sequence[Run | None], effort: Effort) -> list[Rounds | None]:
    timers: dict[int, Callable[[], list[Measurement]]] = {}
    for i, run in enumerate(runs):
        if run is not None:
            with workloads[i].default():
                timers[i] = _timer(workloads[i], run, effort.seconds)
    measured: dict[int, list[list[Measurement]]] = {i: [] for i in timers}
    deadline = time.monotonic() + effort.most * len(timers)
    for number in range(effort.rounds):
        if number >= LEAST_ROUNDS and time.monotonic() > deadline:
            break
        for i in timers if number % 2 else reversed(timers):
            with workloads[i].default():
                measured[i].append(timers[i]())
    return [_merged(measured[i]) if i in measured else None for i in range(len(runs))]


def _timer(load: Workload, run: Run, seconds: float) -> Callable[[], list[Measurement]]:
    """What times ``run`` for about so many ``seconds``; warmed up."""
    if load.cuda:
        time_on_device(run, seconds)
        return lambda: [time_on_device(run, seconds)]
    timer = Timer("run()", globals={"run": run}, num_threads=torch.get_num_threads())
    once = timer.blocked_autorange(min_run_time=seconds)
    number = round(seconds / BLOCKS / once.median)
    if number < 2:  # a block is a call
        return lambda: [timer.blocked_autorange(min_run_time=seconds)]
    return lambda: [timer.timeit(number) for _ in range(BLOCKS)]


def _merged(rounds: Sequence[Sequence[Measurement]]) -> Rounds:
    times = [[time for block in blocks for time in block.times] for blocks in rounds]
    every = torch.tensor([time for round_ in times for time in round_], dtype=torch.float64)
    low, median, high = torch.quantile(every, torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)).tolist()
    runs = sum(len(block.raw_times) * block.number_per_run for blocks in rounds for block in blocks)
    return Rounds(Timing(median, high - low, runs, float(every.min())), tuple(map(min, times)))
