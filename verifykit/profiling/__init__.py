"""What a module costs: time, memory, work, where it goes and how it grows; beside its reference in the same run."""

from pathlib import Path

import torch

from verifykit.errors import UserError, one_line
from verifykit.profiling.operators import profile_operators
from verifykit.profiling.timing import QUICK, Times, compared, time_alternately
from verifykit.profiling.work import count_work
from verifykit.profiling.workload import DTYPE, Workload, reference_workload, workload
from verifykit.results.performance import Measurements, Profile
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject

OPERATORS_KEPT = 15


def measure(subject: Subject, *, trace: Path | None = None) -> Measurements:
    """Profile the subject, and its reference if it has one, in single precision at the usual sizes.

    ``trace`` is the file that the chrome trace of forward and backward is written to, gzipped. What cannot be measured
    is left out and said in ``reason``; nothing is raised but an :class:`~verifykit.errors.OutputError`.
    """
    with seeded(subject.seed):
        return _measured(subject, trace)


def _measured(subject: Subject, trace: Path | None) -> Measurements:
    try:
        own = workload(subject)
    except UserError:
        raise
    except Exception as error:
        return Measurements(reason=f"profiling failed: {one_line(error)}")
    loads, reason = [own], None
    if subject.reference is not None:
        try:
            loads.append(reference_workload(subject, subject.reference))
        except Exception as error:
            reason = f"the reference could not be profiled: {one_line(error)}"
    times = time_alternately(loads, QUICK)
    profiles = [_profile(load, taken) for load, taken in zip(loads, times, strict=True)]
    both = len(loads) > 1
    return Measurements(
        profile=profiles[0],
        reference=profiles[1] if both else None,
        forward_ratio=compared(times[0].forward, times[1].forward) if both else None,
        backward_ratio=compared(times[0].backward, times[1].backward) if both else None,
        step_ratio=compared(times[0].step, times[1].step) if both else None,
        reason=reason,
    )


def _profile(load: Workload, times: Times) -> Profile:
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
        work=count_work(load, [*forward, *backward]),
        forward_operators=forward[:OPERATORS_KEPT],
        backward_operators=backward[:OPERATORS_KEPT],
    )
