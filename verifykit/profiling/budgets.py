"""Costs held against what is allowed: ratios to the reference from one run, and exponents of growth."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeVar

import torch

from verifykit.config import Budgets, merged_budgets
from verifykit.errors import ConfigError, did_you_mean
from verifykit.profiling.growth import grown
from verifykit.profiling.memory import measure_memory
from verifykit.profiling.timing import QUICK, THOROUGH, Times, compared, time_alternately
from verifykit.profiling.workload import Workload, reference_workload, workload
from verifykit.results.cost import Memory
from verifykit.results.growth import Growth
from verifykit.spec.model import Spec
from verifykit.spec.subject import Subject

# So much more is measured where the first measurement does not decide.
MORE = 3
GROWTH_SECONDS = 4.0

T = TypeVar("T")


@dataclass(frozen=True)
class Held:
    """A cost, known to lie between ``low`` and ``high``, held against the ``limit`` that is called ``budget``."""

    budget: str
    what: str
    value: float
    low: float
    high: float
    limit: float

    @property
    def verdict(self) -> Literal["within", "beyond", "undecided"]:
        """Beyond, or within, the limit with the whole interval."""
        if self.low > self.limit:
            return "beyond"
        return "within" if self.high <= self.limit else "undecided"


def budgets_for(spec: Spec, layers: Sequence[Budgets]) -> Budgets:
    """Return the budgets that ``layers`` set, the first that sets one counting.

    Raises:
        ConfigError: an exponent is set for what is no free size of ``spec``.
    """
    budgets = merged_budgets(layers)
    for name in budgets.max_time_exponent:
        if name not in spec.free:
            known = ", ".join(spec.free) or "none: all its sizes are fixed"
            raise ConfigError(
                f"max-time-exponent: unknown size {name!r}: the free sizes are {known}.{did_you_mean(name, spec.free)}"
            )
    return budgets


def timed_pair(subject: Subject, sizes: Mapping[str, int]) -> list[Times]:
    """Return the times of the subject and of its reference, if it has one, in turn; measured once for a subject.
    Whatever either raises passes through.
    """
    return _once(subject, "times", sizes, lambda: time_alternately(_loads(subject, sizes), THOROUGH))


def memory_pair(subject: Subject, sizes: Mapping[str, int]) -> list[Memory]:
    """Return the memory of a step of the subject and of its reference, if it has one; measured once for a subject.
    Whatever either raises passes through.
    """
    return _once(subject, "memory", sizes, lambda: [measure_memory(load) for load in _loads(subject, sizes)])


def growth_of(subject: Subject, sizes: Mapping[str, int], *, seconds: float = GROWTH_SECONDS) -> list[Growth]:
    """Return how the subject and its reference grow from ``sizes`` on; measured once for a subject."""
    # On one thread whatever is set.
    make = partial(grown, subject, subject.reference, sizes, seconds=seconds)
    return subject.once(f"growth from {dict(sizes)}", make)


def slowdowns(subject: Subject, sizes: Mapping[str, int], limit: float) -> list[Held | str]:
    """Return the times of forward and of a training step, if there is a backward, as multiples of the reference's.

    Where they are not within the limit, both are built and timed three times more, since where code and data happen to
    lie makes a difference that no number of rounds averages out. What all three find counts then.
    """
    held = _slowdowns(timed_pair(subject, sizes), limit)
    if all(one.verdict == "within" for one in held):
        return [*held]
    pairs = [_loads(subject, sizes) for _ in range(MORE)]  # alive together, so that they lie elsewhere
    effort = THOROUGH if any(one.verdict == "undecided" for one in held) else QUICK
    again = [_slowdowns(time_alternately(pair, effort), limit) for pair in pairs]
    return [_together(of_one) for of_one in zip(*again, strict=True)]


def memory_ratios(subject: Subject, sizes: Mapping[str, int], limit: float) -> list[Held | str]:
    """Return the peak memory of a step as a multiple of the reference's; what is counted has no noise."""
    own, other = (max(one.forward_peak, one.backward_peak or 0) for one in memory_pair(subject, sizes))
    ratio = own / other if other else (math.inf if own else 1.0)
    return [Held("max-memory-ratio", "peak memory of a step", ratio, ratio, ratio, limit)]


def time_exponents(subject: Subject, sizes: Mapping[str, int], limits: Mapping[str, float]) -> list[Held | str]:
    """Return the exponents with which time grows along each symbol that has a limit, or why one is not known. Where
    they do not decide, growth is measured again for longer, and that alone counts.
    """
    held = _exponents(growth_of(subject, sizes), limits)
    if any(isinstance(one, str) or one.verdict == "undecided" for one in held):
        held = _exponents(grown(subject, None, sizes, seconds=GROWTH_SECONDS * MORE), limits)
    return held


def _slowdowns(times: Sequence[Times], limit: float) -> list[Held]:
    own, other = times
    ratios = {
        "time of forward": compared(own.forward, other.forward),
        "time of a training step": compared(own.step, other.step),
    }
    return [
        Held("max-slowdown", what, ratio.value, ratio.low, ratio.high, limit)
        for what, ratio in ratios.items()
        if ratio is not None
    ]


def _together(held: Sequence[Held]) -> Held:
    middle = sorted(held, key=lambda one: one.value)[len(held) // 2]
    return replace(middle, low=min(one.low for one in held), high=max(one.high for one in held))


def _exponents(growths: Sequence[Growth], limits: Mapping[str, float]) -> list[Held | str]:
    held: list[Held | str] = []
    for symbol, limit in limits.items():
        growth = next((one for one in growths if one.symbol == symbol), None)
        law = growth.law("time") if growth is not None else None
        if law is not None:
            low, high = law.exponent - law.error, law.exponent + law.error
            held.append(Held("max-time-exponent", symbol, law.exponent, low, high, limit))
        else:
            why = growth.stopped if growth is not None else "no series of sizes was accepted"
            held.append(f"how time grows along {symbol} is not known: {why}")
    return held


def _loads(subject: Subject, sizes: Mapping[str, int]) -> list[Workload]:
    loads = [workload(subject, sizes)]
    if subject.reference is not None:
        loads.append(reference_workload(subject, subject.reference, sizes))
    return loads


def _once(subject: Subject, what: str, sizes: Mapping[str, int], make: Callable[[], T]) -> T:
    return subject.once(f"{what} at {dict(sizes)} on {torch.get_num_threads()} threads", make)
