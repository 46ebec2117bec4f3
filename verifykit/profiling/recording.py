"""What torch's profiler saw of some calls."""

import os
from collections.abc import Callable
from typing import Any

from torch.autograd.profiler import profile

WARM_UP = 3

# The profiler library logs each start and stop to standard error unless it is told not to before its first use.
os.environ.setdefault("KINETO_LOG_LEVEL", "99")


def record(run: Callable[[], Any], *, calls: int = 1, warm_up: int = WARM_UP, cuda: bool = False) -> profile:
    """Return the profile of ``calls`` calls of ``run``, after some that are not recorded: operators, allocations, and
    the kernels of the device with ``cuda``.

    This is the profiler beneath ``torch.profiler.profile``, which imports the whole compiler when it starts.
    """
    for _ in range(warm_up):
        run()
    recorded: profile = profile(use_device="cuda" if cuda else None, profile_memory=True)
    with recorded:
        for _ in range(calls):
            run()
    return recorded
