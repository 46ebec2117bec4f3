"""How much work has been done: what searches are bounded by."""

import time


def effort() -> float:
    """Return a clock, in seconds, that goes with the work of this process: on a busy machine a search then finds what
    it finds on a quiet one. A module that sleeps is not waited for endlessly: a quarter of the wall clock counts too.
    """
    return time.process_time() + time.monotonic() / 4
