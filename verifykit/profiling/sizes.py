"""The sizes at which a module is profiled: such as it meets in use, where nobody says."""

import math
import time
from collections.abc import Mapping

import torch

from verifykit.errors import SpecError, did_you_mean, one_line
from verifykit.profiling.workload import DTYPE
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject

# Of the first symbol, which is most often the batch, and of every other.
FIRST, OTHERS = 32, 64
# Elements of all inputs together, and seconds of a forward, beyond which sizes are not typical.
MOST, SECONDS = 1_000_000, 0.1


def profiling_sizes(subject: Subject, given: Mapping[str, int]) -> dict[str, int]:
    """Return a size for every free symbol of the subject: those ``given``, else 32 for the first and 64 for others;
    less, down to what the checks use, where inputs would be large, a forward would be slow, or the module refuses them.

    Raises:
        SpecError: a symbol that no input has, or sizes given that the module refuses.
    """
    free = subject.spec.free
    for name in given:
        if name not in free:
            known = ", ".join(free) or "none: all its sizes are fixed"
            raise SpecError(f"unknown size {name!r}: the free sizes are {known}.{did_you_mean(name, free)}")
    typical = {name: OTHERS if place else FIRST for place, name in enumerate(free)}
    usual = {**subject.spec.usual_sizes, **given}
    try:
        seconds = _forward_seconds(subject, usual)
    except Exception as error:  # the module's own: it does not take these sizes
        asked = ", ".join(f"{name}={size}" for name, size in usual.items())
        raise SpecError(f"{subject.target.name} cannot be called with {asked}: {one_line(error)}") from error
    chosen, elements = usual, _elements(subject, usual)
    for divisor in (8, 4, 2, 1):
        larger = {name: max(usual[name], typical[name] // divisor) for name in free} | dict(given)
        grown = _elements(subject, larger)
        # What takes the square of its inputs is slow sooner.
        if grown > MOST or seconds * (grown / max(elements, 1)) ** 2 > SECONDS:
            break
        try:
            seconds = _forward_seconds(subject, larger)
        except Exception:  # not sizes for this module
            continue
        chosen, elements = larger, grown
    return chosen


def _elements(subject: Subject, sizes: Mapping[str, int]) -> int:
    return sum(math.prod(subject.spec.shape(entry, sizes)) for entry in subject.spec.inputs)


def _forward_seconds(subject: Subject, sizes: Mapping[str, int]) -> float:
    """The faster of two calls: what is done once does not count, nor what else the machine does."""
    module, inputs = subject.build(DTYPE), subject.draw(sizes, DTYPE)
    taken = []
    with torch.no_grad(), seeded(subject.seed):
        for fed in ([t.clone() for t in inputs], inputs):
            started = time.perf_counter()
            subject.call(module, fed)
            taken.append(time.perf_counter() - started)
    return min(taken)
