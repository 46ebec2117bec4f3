"""Wall time of forward inside each submodule, by hooks."""

import contextlib
import time
from collections.abc import Iterator
from functools import partial
from statistics import median
from typing import Any

import torch
from torch import nn

from verifykit.profiling.step import TrainingStep
from verifykit.results.cost import SubmoduleCost

WARM_UP = 1
CALLS = 7
# No more calls are timed than run in so many seconds, but one.
SECONDS = 0.1


def submodule_costs(step: TrainingStep) -> list[SubmoduleCost]:
    """Return the cost of each submodule that forward calls, the longest first, medians over some calls. Nothing for a
    module without submodules.
    """
    module = step.load.module
    kinds = {name: type(part).__name__ for name, part in module.named_modules()}
    if len(kinds) < 2:
        return []
    step.prepare()
    runs: list[_Stopwatch] = []
    spent = 0.0
    while len(runs) <= WARM_UP or (len(runs) < WARM_UP + CALLS and spent < SECONDS):
        step.feed()
        watch = _Stopwatch(cuda=step.load.cuda)
        with watch.on(module):
            step.forward()
        step.drop()
        runs.append(watch)
        spent += watch.seconds[""]
    timed = runs[WARM_UP:]
    whole = median(run.seconds[""] for run in timed)
    costs = [
        SubmoduleCost(
            name, kinds[name], calls, seconds, median(run.own.get(name, 0.0) for run in timed), seconds / whole
        )
        for name, calls in timed[0].calls.items()
        if name and (seconds := median(run.seconds.get(name, 0.0) for run in timed))
    ]
    return sorted(costs, key=lambda cost: -cost.seconds)


class _Stopwatch:
    """The times of one call, by name: in all, without what is called inside, and how often."""

    def __init__(self, *, cuda: bool) -> None:
        self.seconds: dict[str, float] = {}
        self.own: dict[str, float] = {}
        self.calls: dict[str, int] = {}
        self._cuda = cuda
        self._open: list[tuple[float, float]] = []  # when it began, and how long its parts took

    @contextlib.contextmanager
    def on(self, module: nn.Module) -> Iterator[None]:
        with contextlib.ExitStack() as hooks:
            for name, part in module.named_modules():
                hooks.callback(part.register_forward_pre_hook(self._begin).remove)
                hooks.callback(part.register_forward_hook(partial(self._end, name), always_call=True).remove)
            yield

    def _begin(self, *_: Any) -> None:
        self._open.append((self._now(), 0.0))

    def _end(self, name: str, *_: Any) -> None:
        began, inside = self._open.pop()
        took = self._now() - began
        if self._open:
            outer, parts = self._open[-1]
            self._open[-1] = outer, parts + took
        self.seconds[name] = self.seconds.get(name, 0.0) + took
        self.own[name] = self.own.get(name, 0.0) + took - inside
        self.calls[name] = self.calls.get(name, 0) + 1

    def _now(self) -> float:
        if self._cuda:
            torch.cuda.synchronize()
        return time.perf_counter()
