"""The sizes at which a module is profiled: such as it meets in use, where nobody says."""

import math
from collections.abc import Mapping

import torch

from verifykit.errors import SpecError, did_you_mean, one_line
from verifykit.profiling.workload import DTYPE
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject

# Of the first symbol, which is most often the batch, and of every other.
FIRST, OTHERS = 32, 64
# Elements of all inputs together beyond which sizes are halved.
MOST = 1_000_000


def profiling_sizes(subject: Subject, given: Mapping[str, int]) -> dict[str, int]:
    """Return a size for every free symbol of the subject: those ``given``, else 32 for the first and 64 for others,
    less where the inputs would be large; all as small as the checks use them where the module refuses these.

    Raises:
        SpecError: a symbol that no input has, or sizes given that the module refuses.
    """
    free = subject.spec.free
    for name in given:
        if name not in free:
            known = ", ".join(free) or "none: all its sizes are fixed"
            raise SpecError(f"unknown size {name!r}: the free sizes are {known}.{did_you_mean(name, free)}")
    typical = {name: given.get(name, OTHERS if place else FIRST) for place, name in enumerate(free)}
    while _elements(subject, typical) > MOST:
        largest = max((name for name in free if name not in given), key=lambda name: typical[name], default=None)
        if largest is None or typical[largest] == 1:
            break
        typical[largest] //= 2
    if _refusal(subject, typical) is None:
        return typical
    usual = {**subject.spec.usual_sizes, **given}
    error = _refusal(subject, usual)
    if error is not None:
        asked = ", ".join(f"{name}={size}" for name, size in usual.items())
        raise SpecError(f"{subject.target.name} cannot be called with {asked}: {error}")
    return usual


def _elements(subject: Subject, sizes: Mapping[str, int]) -> int:
    return sum(math.prod(subject.spec.shape(entry, sizes)) for entry in subject.spec.inputs)


def _refusal(subject: Subject, sizes: Mapping[str, int]) -> str | None:
    try:
        with torch.no_grad(), seeded(subject.seed):
            subject.call(subject.build(DTYPE), subject.draw(sizes, DTYPE))
    except Exception as error:  # the module's own: it does not take these sizes
        return one_line(error)
    return None
