"""torch.compile: what the compiler gains on this module."""

from collections.abc import Iterator

from verifykit.profiling.advice.words import seconds, times
from verifykit.results import Location
from verifykit.results.performance import Advice, Compiled

# The ratio of times, compiled / as it is, below which the whole interval must be before that is told.
FASTER = 0.8


def faster_compiled(compiled: Compiled, location: Location | None) -> Iterator[Advice]:
    """Say what ``torch.compile`` gains in a training step or, where there is none, in forward."""
    ratio, of = (compiled.step, "a step") if compiled.step else (compiled.forward, "forward")
    if ratio is None or ratio.low <= 0 or ratio.high >= FASTER:
        return
    yield Advice(
        "torch.compile",
        f"torch.compile gives {times(1 / ratio.value)}x ({times(1 / ratio.high)} to {times(1 / ratio.low)}) in {of}, "
        f"for {seconds(compiled.seconds)} of compiling",
        location,
        1 - ratio.value,
        {"ratio": [ratio.value, ratio.low, ratio.high], "seconds": compiled.seconds},
    )
