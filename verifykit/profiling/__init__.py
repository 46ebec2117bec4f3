"""What a module costs: wall time, operators, FLOPs, parameters; beside its reference in the same run."""

from pathlib import Path

import torch

from verifykit.errors import UserError, one_line
from verifykit.profiling.operators import profile_operators
from verifykit.profiling.timing import time_alternately
from verifykit.profiling.work import count_flops
from verifykit.profiling.workload import Workload
from verifykit.results import Measurements, Profile, Timing
from verifykit.spec.subject import Subject

DTYPE = torch.float32


def measure(subject: Subject, *, trace: Path | None = None) -> Measurements:
    """Profile the subject, and its reference if it has one, in eval mode in single precision at the usual sizes.

    ``trace`` is the file that the chrome trace of forward and backward is written to, gzipped. What cannot be measured
    is left out and said in ``reason``; nothing is raised but an :class:`~verifykit.errors.OutputError`.
    """
    try:
        own = Workload(subject.target.name, subject.build(DTYPE), subject.call, subject.draw(dtype=DTYPE), subject.seed)
        own.prepare()
    except UserError:
        raise
    except Exception as error:
        return Measurements(reason=f"profiling failed: {one_line(error)}")
    workloads, reason = [own], None
    if subject.reference is not None:
        reference = subject.reference
        try:
            module = reference.build(DTYPE, subject.device, seed=subject.seed)
            other = Workload(str(reference), module, reference.call, subject.draw(dtype=DTYPE), subject.seed)
            other.prepare()
            workloads.append(other)
        except Exception as error:
            reason = f"the reference could not be profiled: {one_line(error)}"
    timings = time_alternately(workloads)
    profiles = [
        _profile(load, forward, backward, subject.spec.usual_sizes, trace if load is own else None)
        for load, (forward, backward) in zip(workloads, timings, strict=True)
    ]
    mine, other_profile = profiles[0], profiles[1] if len(profiles) > 1 else None
    return Measurements(
        profile=mine,
        reference=other_profile,
        forward_ratio=_ratio(mine.forward, other_profile.forward) if other_profile else None,
        backward_ratio=_ratio(mine.backward, other_profile.backward) if other_profile else None,
        trace=trace.name if trace else None,
        reason=reason,
    )


def _profile(
    load: Workload, forward: Timing, backward: Timing | None, sizes: dict[str, int], trace: Path | None
) -> Profile:
    forward_operators, backward_operators = profile_operators(load, trace)
    work = count_flops(load)
    parameters = list(load.module.parameters())
    return Profile(
        name=load.name,
        sizes=sizes,
        dtype=str(DTYPE).removeprefix("torch."),
        threads=torch.get_num_threads(),
        parameters=sum(p.numel() for p in parameters),
        parameter_bytes=sum(p.numel() * p.element_size() for p in parameters),
        forward=forward,
        backward=backward,
        forward_flops=work.forward,
        backward_flops=work.backward if load.differentiable else None,
        uncounted=work.uncounted,
        forward_operators=forward_operators,
        backward_operators=backward_operators,
    )


def _ratio(mine: Timing | None, other: Timing | None) -> float | None:
    return mine.median / other.median if mine and other else None
