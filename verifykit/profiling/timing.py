"""Wall time by ``torch.utils.benchmark``, several workloads in turn so that a drift of the machine cancels."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils.benchmark import Measurement, Timer

from verifykit.profiling.workload import Workload
from verifykit.results import Timing

ROUNDS = 5
SECONDS_PER_ROUND = 0.03


def time_alternately(workloads: Sequence[Workload]) -> list[tuple[Timing, Timing | None]]:
    """Return forward and backward time of each workload, in seconds a call; rounds run A B A B.

    Backward is timed alone, over one graph that is kept. It is ``None`` where nothing is differentiable.
    """
    runs: list[tuple[Callable[[], Any], Callable[[], Any] | None]] = []
    for load in workloads:
        outputs = load.forward()
        # Bound now: each workload keeps its own graph.
        backward = (lambda load=load, outputs=outputs: load.backward(outputs)) if load.differentiable else None
        runs.append((load.forward, backward))
    forwards = _rounds([forward for forward, _ in runs])
    backwards = _rounds([backward for _, backward in runs if backward is not None])
    return [(forwards.pop(0), backwards.pop(0) if backward else None) for _, backward in runs]


def _rounds(functions: Sequence[Callable[[], Any]]) -> list[Timing]:
    timers = [Timer("run()", globals={"run": run}, num_threads=torch.get_num_threads()) for run in functions]
    measured: list[list[Measurement]] = [[] for _ in timers]
    for _ in range(ROUNDS):
        for timer, measurements in zip(timers, measured, strict=True):
            measurements.append(timer.blocked_autorange(min_run_time=SECONDS_PER_ROUND))
    return [_merged(measurements) for measurements in measured]


def _merged(measurements: list[Measurement]) -> Timing:
    times = torch.tensor([time for m in measurements for time in m.times], dtype=torch.float64)
    low, median, high = torch.quantile(times, torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)).tolist()
    return Timing(median, high - low, sum(len(m.raw_times) * m.number_per_run for m in measurements))
