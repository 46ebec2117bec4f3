"""Whether the operation that a module equals is to be preferred: faster, or safe where the module is not."""

import math
import time
from dataclasses import replace

import torch
from torch.func import functional_call

from verifykit.identify.candidate import Match
from verifykit.identify.facts import Facts
from verifykit.profiling.interval import ratio_of
from verifykit.profiling.timing import QUICK, Rounds, time_alternately
from verifykit.profiling.workload import Workload, reference_workload, workload
from verifykit.spec.domain import Real
from verifykit.spec.subject import Subject, named_tensors

# Elements of all inputs together at which speed is compared: enough that more than the overhead of calls is seen.
ELEMENTS = 200_000
# A gain that is worth a word.
FASTER = 1.2
# Where overflow shows in single precision: exp overflows at 89, a square at 1.8e19.
LARGE = (30.0, 100.0, 1e4)


def suggestion(facts: Facts, match: Match) -> str | None:
    """Return, with figures, why the candidate of ``match`` should be used instead, ``None`` where nothing says so."""
    reasons = [reason for reason in (_speed(facts, match), _safety(facts, match)) if reason]
    return f"{match.candidate.name} does the same, {' and '.join(reasons)}" if reasons else None


def _speed(facts: Facts, match: Match) -> str | None:
    subject = facts.subject
    sizes = _larger(subject)
    fed = replace(match.candidate.reference, order=match.order)
    try:
        mine = workload(subject, sizes)
        other = reference_workload(subject, fed, sizes, name=match.candidate.name)
        if _at_first(mine) < FASTER * _at_first(other):
            return None
        own, its = time_alternately([mine, other], QUICK)
    except Exception:  # what cannot be timed is not advertised
        return None
    gains = [
        f"{ratio.value:.1f} times faster {direction} ({_seconds(its_time)} against {_seconds(own_time)})"
        for direction, own_time, its_time in (
            ("forward", own.forward, its.forward),
            ("backward", own.backward, its.backward),
        )
        if own_time and its_time and (ratio := ratio_of(own_time.fastest, its_time.fastest)).low > FASTER
    ]
    if not gains:
        return None
    at = ", ".join(f"{name} = {size}" for name, size in sizes.items())
    return f"{' and '.join(gains)}{f' at {at}' if at else ''}"


def _at_first(load: Workload) -> float:
    """Seconds that the fastest of a few steps takes: enough to see what need not be timed well."""
    taken = []
    for _ in range(5):
        started = time.perf_counter()
        load.step()
        taken.append(time.perf_counter() - started)
    return min(taken)


def _safety(facts: Facts, match: Match) -> str | None:
    """Where the module gives what is not finite in single precision, and the candidate does not."""
    subject = facts.subject
    if not any(isinstance(entry.domain, Real) and entry.dtype == "float" for entry in subject.spec.inputs):
        return None
    state = {name: t.to(torch.float32) if t.is_floating_point() else t for name, t in facts.state.items()}
    theirs = match.candidate.reference.build(torch.float32, subject.device, seed=subject.seed)
    arranged = {
        n: t.to(torch.float32) if t.is_floating_point() else t for n, t in match.arrangement.arrange(state).items()
    }
    ours = subject.build(torch.float32)
    for size in LARGE:
        inputs = [
            value * size if isinstance(entry.domain, Real) and value.is_floating_point() else value
            for entry, value in zip(subject.spec.inputs, subject.draw(dtype=torch.float32), strict=True)
        ]
        try:
            with torch.no_grad():
                positional, named = subject.arguments(inputs)
                own = functional_call(ours, state, positional, named)
                other = functional_call(theirs, arranged, tuple(inputs[p] for p in match.order))
        except Exception:  # values that one of them refuses
            return None
        if not _finite(own) and _finite(other):
            return f"stays finite in float32 at values of about {size:g}, where this overflows"
    return None


def _finite(result: object) -> bool:
    return all(bool(t.isfinite().all()) for t in named_tensors(result).values() if t.is_floating_point())


def _larger(subject: Subject) -> dict[str, int]:
    """Sizes of the free symbols, all as many times the usual ones as make the inputs large."""
    usual = subject.spec.usual_sizes
    sizes = dict(usual)
    for factor in (2, 4, 8, 16, 32, 64, 128):
        grown = {name: size * factor for name, size in usual.items()}
        shapes = [subject.spec.shape(entry, grown) for entry in subject.spec.inputs]
        if sum(math.prod(shape) for shape in shapes) > ELEMENTS:
            break
        sizes = grown
    return sizes


def _seconds(rounds: Rounds) -> str:
    return f"{rounds.timing.median * 1e6:.3g} µs"
