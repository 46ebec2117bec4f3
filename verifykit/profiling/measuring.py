"""What a module costs: time, memory, work, where it goes and how it grows; beside its reference in the same run."""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch
from msgspec.structs import replace

from verifykit.errors import UserError, one_line
from verifykit.profiling.advice import advise
from verifykit.profiling.budgets import growth_of
from verifykit.profiling.compiled import time_compiled
from verifykit.profiling.extent import BRIEF, Extent
from verifykit.profiling.memory import measure_memory
from verifykit.profiling.operators import profile_operators
from verifykit.profiling.roofline import roofline
from verifykit.profiling.sizes import profiling_sizes
from verifykit.profiling.timing import Times, compared, time_alternately
from verifykit.profiling.trace import write_trace
from verifykit.profiling.where import where_of
from verifykit.profiling.work import count_work
from verifykit.profiling.workload import DTYPE, Workload, reference_workload, workload
from verifykit.results.cost import Memory, Profile
from verifykit.results.performance import Measurements
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject
from verifykit.spec.threads import threads_for

OPERATORS_KEPT = 15

T = TypeVar("T")


def measure(subject: Subject, extent: Extent = BRIEF, *, trace: Path | None = None) -> Measurements:
    """Profile the subject, and its reference if it has one, in single precision.

    ``trace`` is the file that the chrome trace of forward and backward is written to, gzipped. What cannot be measured
    is left out and said in ``reason``.

    Raises:
        UserError: sizes that the subject does not have or refuses, or a trace that cannot be written.
    """
    with seeded(subject.seed), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the module has to say, it says when it is fed first
        sizes = subject.spec.usual_sizes if extent.sizes is None else profiling_sizes(subject, extent.sizes)
        with threads_for(_elements(subject, sizes)):
            return _Measuring(subject, extent, sizes).run(trace)


def _elements(subject: Subject, sizes: dict[str, int]) -> int:
    return sum(t.numel() for t in [*subject.draw(sizes), *subject.build().parameters()])


class _Measuring:
    """One run: each part by itself, so that one that fails costs no other."""

    def __init__(self, subject: Subject, extent: Extent, sizes: dict[str, int]) -> None:
        self.subject = subject
        self.extent = extent
        self.sizes = sizes
        self.reasons: list[str] = []

    def run(self, trace: Path | None) -> Measurements:
        loads = self._loads()
        basics = self._tried("profiling", lambda: self._basics(loads)) if loads else None
        if basics is None:
            return Measurements(reason=self.reasons[-1])
        if trace is not None:
            write_trace(loads[0], trace)
            basics = replace(basics, trace=trace.name)
        found = basics if loads[0].keeps_graph else self._extended(loads, basics)
        if self.extent.advice:
            advice = self._tried("looking for what could be better", lambda: advise(self.subject, loads, found))
            found = replace(found, advice=advice or [])
        return replace(found, reason="; ".join(self.reasons) or None)

    def _extended(self, loads: Sequence[Workload], found: Measurements) -> Measurements:
        subject, extent, sizes = self.subject, self.extent, self.sizes
        reference = subject.reference if len(loads) > 1 else None
        if extent.roofline:
            limits = self._tried("roofline", lambda: roofline(subject, reference, sizes, seconds=extent.roofline))
            found = replace(found, roofline=limits)
        if extent.growth:
            growth = self._tried("growth", lambda: growth_of(subject, sizes, seconds=extent.growth))
            found = replace(found, growth=growth or [])
        if extent.compile:
            compiled = self._tried("torch.compile", lambda: time_compiled(loads[0], extent.effort))
            found = replace(found, compiled=compiled)
        return found

    def _loads(self) -> list[Workload]:
        own = self._tried("profiling", lambda: workload(self.subject, self.sizes))
        reference = self.subject.reference
        if own is None or reference is None:
            return [own] if own else []
        other = self._tried("the reference", lambda: reference_workload(self.subject, reference, self.sizes))
        return [own, other] if other else [own]

    def _basics(self, loads: Sequence[Workload]) -> Measurements:
        memories = [self._tried(f"memory of {load.name}", partial(measure_memory, load)) for load in loads]
        for load in loads:
            if load.keeps_graph:
                load.stop_recording()
                self.reasons.append(
                    f"{load.name} keeps the graph of each call for the next, so backward takes ever longer: only "
                    "forward was timed, without gradients"
                )
        times = time_alternately(loads, self.extent.effort)
        profiles = list(map(self._profile, loads, times, memories))
        if len(loads) == 1:
            return Measurements(profiles[0])
        own, other = times
        return Measurements(
            profile=profiles[0],
            reference=profiles[1],
            forward_ratio=compared(own.forward, other.forward),
            backward_ratio=compared(own.backward, other.backward),
            step_ratio=compared(own.step, other.step),
        )

    def _profile(self, load: Workload, times: Times, memory: Memory | None) -> Profile:
        forward, backward = profile_operators(load)
        parameters = list(load.module.parameters())
        return Profile(
            name=load.name,
            sizes=load.sizes,
            dtype=str(DTYPE).removeprefix("torch."),
            threads=torch.get_num_threads(),
            parameters=sum(p.numel() for p in parameters),
            parameter_bytes=sum(p.numel() * p.element_size() for p in parameters),
            forward=times.forward.timing,
            backward=times.backward.timing if times.backward else None,
            step=times.step.timing if times.step else None,
            work=count_work(load),
            forward_operators=forward[:OPERATORS_KEPT],
            backward_operators=backward[:OPERATORS_KEPT],
            memory=memory,
            where=self._tried(f"where {load.name} spends its time", lambda: where_of(load)),
        )

    def _tried(self, what: str, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except UserError:
            raise
        except Exception as error:
            self.reasons.append(f"{what} failed: {one_line(error)}")
            return None
