"""What ``torch.compile`` gains, and what it takes to compile."""

import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from verifykit.profiling.timing import Effort, compared, time_alternately
from verifykit.profiling.workload import Workload
from verifykit.results.performance import Compiled


def time_compiled(load: Workload, effort: Effort) -> Compiled:
    """Return how the compiled module compares with the module itself, timed in turn. What the compiler raises passes
    through.
    """
    with quiet_compiler():
        other = load.on(f"{load.name}, compiled", torch.compile(load.module))  # type: ignore[arg-type]
        started = time.monotonic()
        other.prepare()
        with other.training():  # compiles it once more
            other.step()
        seconds = time.monotonic() - started
        mine, plain = time_alternately([other, load], effort)
        return Compiled(seconds, compared(mine.forward, plain.forward), compared(mine.step, plain.step))


@contextmanager
def quiet_compiler() -> Iterator[None]:
    """Run the body with an empty cache of compiled graphs, no warnings and no worker processes of the compiler; all is
    put back after.
    """
    import torch._dynamo
    import torch._inductor.config as inductor

    disabled = logging.root.manager.disable
    logging.disable(logging.ERROR)
    torch._dynamo.reset()
    try:
        with warnings.catch_warnings(), inductor.patch(compile_threads=1):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
        torch._dynamo.reset()
