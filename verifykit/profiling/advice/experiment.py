"""Leaves some calls out of a module and sees whether it still does the same, and what that gains."""

import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils.benchmark import Timer

from verifykit.profiling.advice.behaviour import Behaviour, Mode, behaviour, same
from verifykit.profiling.advice.calls import Call, calls_of
from verifykit.profiling.advice.handing import Handing, Noting, Reply
from verifykit.profiling.advice.words import size
from verifykit.profiling.allocations import uses
from verifykit.profiling.interval import median_interval
from verifykit.profiling.workload import Workload
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject
from verifykit.spec.threads import threads_for

# Many short rounds: an interruption spoils one of them, and the interval of the median bears some.
ROUNDS = 31
LEAST_ROUNDS = 6
BLOCK = 0.0005
MOST = 0.25
# Memory spared matters from this share of that of inputs and outputs.
LARGE = 0.25

Replies = Mapping[int, tuple[Any, Reply]]


@dataclass(frozen=True)
class Gain:
    """Share of a step's time that is saved, and the interval that holds it with at least 95 % confidence."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.0%} ({self.low:.0%} to {self.high:.0%})"


@dataclass(frozen=True)
class Worth:
    """A gain that matters: share of a step's time, in words, and the figures."""

    share: float
    words: str
    evidence: dict[str, Any]


@dataclass
class Experiment:
    """``calls`` are those of one forward of ``load``; what they are found to be is tried on the subject."""

    subject: Subject
    load: Workload
    calls: list[Call]
    _plain: dict[bool, tuple[list[Call], Behaviour]] = field(default_factory=dict)

    @classmethod
    def of(cls, subject: Subject, load: Workload) -> "Experiment":
        """Record one forward of ``load``. Whatever the module raises passes through."""
        with seeded(subject.seed), load.default():
            return cls(subject, load, calls_of(load.forward, load.module.buffers()))

    def changes_nothing(self, replies: Callable[[list[Call]], Replies]) -> bool:
        """Return whether the module does the same in eval and in training mode, with ``replies`` to its calls instead
        of those themselves. What raises, or does not come to the calls in question, is not the same.
        """
        try:
            for training in (False, True):
                calls, expected = self._as_it_is(training)
                chosen = replies(calls)
                if (
                    not chosen
                    or self._outlive(chosen, training)
                    or not same(behaviour(self.subject, partial(Handing, chosen), training=training), expected)
                ):
                    return False
        except Exception:
            return False
        return True

    def worth(self, replies: Replies, least: float, *, counts_memory: bool = True) -> Worth | None:
        """Return what ``replies`` gain, if that matters: the whole interval of the time saved is above ``least``, or it
        is not known to be a loss and the memory spared, if it counts, is large beside inputs and outputs.
        """
        gain = self.gain(replies)
        if gain is None or gain.high <= 0:
            return None
        evidence: dict[str, Any] = {"gain": [gain.value, gain.low, gain.high]}
        share = min(max(gain.value, 0.0), 1.0)
        if gain.low >= least:
            return Worth(share, f"a step takes {gain} less time", evidence)
        memory = self.spared(replies) if counts_memory else 0
        if not memory or memory < LARGE * self.around:
            return None
        return Worth(share, f"forward allocates {size(memory)} less", {**evidence, "bytes spared": memory})

    def gain(self, replies: Replies) -> Gain | None:
        """Return what a forward and its backward gain by ``replies``, timed in turn without and with them; ``None``
        where that cannot be run.
        """
        try:
            with seeded(self.subject.seed), self.load.default(), threads_for(self._elements):
                return self._gain(replies)
        except Exception:
            return None

    def spared(self, replies: Replies) -> int:
        """Return how many bytes fewer a forward allocates with ``replies``, 0 where that cannot be run."""
        handing = partial(Handing, replies)
        modes: list[Mode] = [nullcontext, nullcontext, handing, handing]  # the first of each warms up
        try:
            with seeded(self.subject.seed), self.load.default():
                _, before, _, after = uses([self._forward(mode) for mode in modes], cuda=self.load.cuda)
        except Exception:
            return 0
        return before.allocated - after.allocated

    @property
    def around(self) -> int:
        """Bytes of the inputs and of the outputs that have gradients."""
        return sum(t.numel() * t.element_size() for t in [*self.load.inputs, *self.load.cotangents])

    @property
    def _elements(self) -> int:
        return sum(t.numel() for t in [*self.load.inputs, *self.load.module.parameters()])

    def _outlive(self, chosen: Replies, training: bool) -> bool:
        """Whether anything that the ``chosen`` calls make is still there when the outputs are not: it is kept, and what
        would be handed on instead of it may change meanwhile.
        """
        subject, module = self.subject, self.subject.build(training=training)
        made: list[StorageWeakRef] = []
        fed = [t.clone() for t in subject.draw()]
        with torch.no_grad(), seeded(subject.seed), Noting(chosen, made):
            subject.call(module, fed)
        return any(not storage.expired() for storage in made)  # type: ignore[no-untyped-call]

    def _as_it_is(self, training: bool) -> tuple[list[Call], Behaviour]:
        if training not in self._plain:
            subject = self.subject
            module, inputs = subject.build(training=training), subject.draw()
            fed = [t.requires_grad_(t.is_floating_point() or t.is_complex()).clone() for t in inputs]
            with seeded(subject.seed):
                calls = calls_of(lambda: subject.call(module, fed), module.buffers())
            self._plain[training] = calls, behaviour(subject, nullcontext, training=training)
        return self._plain[training]

    def _gain(self, replies: Replies) -> Gain:
        # How torch's functions are watched costs time as well: it is in both of the last two, and not in the first.
        timers = [self._timer(mode) for mode in (nullcontext, partial(Handing, {}), partial(Handing, replies))]
        slowest = max(timer.timeit(1).median for timer in timers)
        number = max(1, int(BLOCK / slowest))
        taken: list[list[float]] = [[], [], []]
        started = time.perf_counter()
        for turn in range(ROUNDS):
            if turn >= LEAST_ROUNDS and time.perf_counter() - started > MOST:
                break
            for i in (0, 1, 2) if turn % 2 else (2, 1, 0):
                taken[i].append(timers[i].timeit(number).median)
        step, saved = statistics.median(taken[0]), [one - other for one, other in zip(*taken[1:], strict=True)]
        low, high = median_interval(saved)
        return Gain(statistics.median(saved) / step, low / step, high / step)

    def _timer(self, mode: Mode) -> Timer:
        return Timer("step()", globals={"step": self._step(mode)}, num_threads=torch.get_num_threads())

    def _forward(self, mode: Mode) -> Callable[[], Any]:
        def forward() -> Any:
            with mode():
                return self.load.forward()

        return forward

    def _step(self, mode: Mode) -> Callable[[], None]:
        load, forward = self.load, self._forward(mode)

        def step() -> None:
            result = forward()
            if load.differentiable:
                load.vjp(load.outputs(result), keep=False)()

        return step
