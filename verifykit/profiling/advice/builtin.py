"""built-in: the reference does the same in less time."""

from collections.abc import Iterator

from verifykit.profiling.advice.words import times
from verifykit.results import Location
from verifykit.results.performance import Advice, Measurements

# How many times slower than its reference a module is, the whole interval of it, before that is told.
SLOWER = 1.2


def faster_reference(measured: Measurements, location: Location | None) -> Iterator[Advice]:
    """Say that the reference is faster, in a training step or, where there is none, in forward."""
    ratio, of = (measured.step_ratio, "a step") if measured.step_ratio else (measured.forward_ratio, "forward")
    if ratio is None or measured.reference is None or ratio.low <= SLOWER:
        return
    yield Advice(
        "built-in",
        f"{measured.reference.name} is {times(ratio.value)} times faster ({times(ratio.low)} to {times(ratio.high)}) "
        f"in {of}",
        location,
        1 - 1 / ratio.value,
        {"ratio": [ratio.value, ratio.low, ratio.high]},
    )
