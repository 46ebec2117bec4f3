"""Time on a CUDA device, where the host only enqueues: by events, each call on a cold second-level cache."""

from collections.abc import Callable
from typing import Any

import torch
from torch.utils.benchmark import Measurement
from torch.utils.benchmark.utils.common import TaskSpec

MILLISECOND = 1e-3
LEAST_CALLS = 3


def time_on_device(run: Callable[[], Any], seconds: float) -> Measurement:
    """Call ``run`` for about ``seconds`` and return the time of each call between two events. Before each, a buffer
    twice the size of the L2 cache is overwritten, so that nothing the last call left there speeds up the next.
    """
    cache = torch.cuda.get_device_properties().L2_cache_size
    flush = torch.empty(2 * cache, dtype=torch.uint8, device="cuda")
    times: list[float] = []
    while len(times) < LEAST_CALLS or sum(times) < seconds:
        start, end = _event(), _event()
        flush.zero_()
        start.record()
        run()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end) * MILLISECOND)
    return Measurement(1, times, TaskSpec("run()", "pass", num_threads=torch.get_num_threads()))


def _event() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
