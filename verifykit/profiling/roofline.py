"""The roofline model (Williams, Waterman and Patterson, 2009): what this machine can do at most, measured on the spot,
and how near to it a module comes.
"""

import itertools
import math
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import torch
from msgspec.structs import replace
from torch.utils.benchmark import Measurement, Timer

from verifykit.profiling.device import time_on_device
from verifykit.profiling.machine import last_cache, memory, recall, remember
from verifykit.profiling.work import count_forward
from verifykit.profiling.workload import DTYPE, Workload, reference_workload, workload
from verifykit.results.growth import Roof, Roofline, RoofPoint
from verifykit.spec.reference import Reference
from verifykit.spec.subject import Subject

# Seconds for each size of product; one that takes longer is not followed by a larger one. Seconds for the stream.
SLOW = 0.025
STREAM_SECONDS = 0.15
SIDES = (256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192)
# A stream is over so many times the last cache (McCalpin's STREAM asks for four), but at most this part of the memory.
BEYOND_CACHE = 4
MEMORY_PART = 16

# Sizes of the module: each has so many times the elements of the one before, and at most so many.
POINTS, STEP, MOST = 5, 8, 32_000_000
ROUNDS = 5
# Forwards that a size takes at least: to prepare backward, to count, to time.
CALLS = 4 + 2 * ROUNDS


def roof(dtype: torch.dtype, device: str) -> Roof:
    """Return what this machine can do in ``dtype``, a floating one, on ``device`` with torch's present number of
    threads: FLOPs a second of the best of some matrix products, as the settings of torch have them (TF32 where it is
    switched on), and bytes a second of a copy between buffers beyond the caches, read and written bytes counted.

    What was measured here within the last days is not measured again.
    """
    name = str(dtype).removeprefix("torch.")
    known = recall(name, device)
    if known is None:
        known = _measured(dtype, device)
        remember(known)
    return known


def roofline(subject: Subject, reference: Reference | None, sizes: Mapping[str, int], *, seconds: float) -> Roofline:
    """Return forward of subject and reference under the roof, at ``sizes`` and, within about so many ``seconds``, at
    larger ones, all free symbols scaled together. Sizes that the module refuses are left out.

    ``reached`` exceeds 1 where the data stays in a cache from one call to the next, which is faster than memory; also
    where much is read and little written, since a copy makes the CPU fetch what it overwrites. A roof that is exceeded
    otherwise was measured on a busy machine: it is measured again, and the better figures count.
    """
    limits = roof(DTYPE, subject.device)
    own, other = _costs(subject, reference, sizes, seconds)
    if any(_is_too_good(cost, limits, subject.device) for cost in [*own, *other]):
        again = _measured(DTYPE, subject.device)
        limits = replace(again, flops=max(limits.flops, again.flops), bandwidth=max(limits.bandwidth, again.bandwidth))
        remember(limits)
    return Roofline(limits, [cost.under(limits) for cost in own], [cost.under(limits) for cost in other])


@dataclass(frozen=True)
class _Cost:
    name: str
    sizes: dict[str, int]
    flops: int
    least_bytes: int
    seconds: float

    def under(self, limits: Roof) -> RoofPoint:
        reached = limits.limit(self.flops, self.least_bytes) / self.seconds
        return RoofPoint(self.name, self.sizes, self.flops, self.least_bytes, self.seconds, reached)


def _costs(
    subject: Subject, reference: Reference | None, sizes: Mapping[str, int], seconds: float
) -> tuple[list[_Cost], list[_Cost]]:
    costs: tuple[list[_Cost], list[_Cost]] = ([], [])
    deadline = math.inf  # the first size is measured whatever it takes, and what is done once does not count
    before = latest = 0.0  # the time of a forward of each at the last two sizes
    for chosen in _series(subject, sizes):
        growth = max(STEP, latest / before) if before else STEP
        if time.perf_counter() + CALLS * growth * latest > deadline:
            break
        loads = _loads(subject, reference, chosen)
        if loads:
            taken = _forward_seconds(loads, seconds / POINTS / 2)
            before, latest = latest, sum(taken)
            for costs_of_one, load, each in zip(costs, loads, taken, strict=False):
                costs_of_one.append(_Cost(load.name, load.sizes, *count_forward(load), each))
            deadline = min(deadline, time.perf_counter() + seconds * (POINTS - 1) / POINTS)
    return costs


def _series(subject: Subject, sizes: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """``sizes``, and those at which there are 8, 64, 512 and 4096 times as many elements: beyond the caches."""
    spec = subject.spec
    yield dict(sizes)
    for place in range(1, POINTS if spec.free else 1):
        chosen = _scaled({**spec.usual_sizes, **sizes}, place)
        if sum(math.prod(spec.shape(entry, chosen)) for entry in spec.inputs) > MOST:
            return
        yield chosen


def _scaled(sizes: Mapping[str, int], place: int) -> dict[str, int]:
    """``sizes`` with 8**place times the elements: three doublings for each place, dealt out to the symbols in turn."""
    doublings = Counter(itertools.islice(itertools.cycle(sizes), 3 * place))
    return {name: size * 2 ** doublings[name] for name, size in sizes.items()}


def _loads(subject: Subject, reference: Reference | None, sizes: Mapping[str, int]) -> list[Workload]:
    """The target, if it takes these sizes, and the reference, if there is one that does."""
    loads: list[Workload] = []
    try:
        loads.append(workload(subject, sizes))
        if reference is not None:
            loads.append(reference_workload(subject, reference, sizes))
    except Exception:  # the module's own, or its memory
        return loads
    return loads


def _forward_seconds(loads: Sequence[Workload], seconds: float) -> list[float]:
    """The median time of forward of each, all in turn."""
    each = seconds / ROUNDS / len(loads)
    taken: list[list[float]] = [[] for _ in loads]
    for _ in range(ROUNDS):
        for load, times in zip(loads, taken, strict=True):
            with load.default():
                times.append(_timed(load.forward, each, cuda=load.cuda).median)
    return [statistics.median(times) for times in taken]


def _is_too_good(cost: _Cost, limits: Roof, device: str) -> bool:
    """Whether it was faster than the roof allows, and no cache explains it."""
    products, stream = cost.flops / limits.flops, cost.least_bytes / limits.bandwidth
    is_cached = cost.least_bytes < 2 * last_cache(device)
    return cost.seconds < (products if is_cached else max(products, stream))


def _measured(dtype: torch.dtype, device: str) -> Roof:
    return Roof(
        str(dtype).removeprefix("torch."),
        device,
        torch.get_num_threads(),
        _best_product(dtype, device),
        _best_stream(dtype, device),
        date.today().isoformat(),
    )


def _best_product(dtype: torch.dtype, device: str) -> float:
    best = 0.0
    for side in SIDES:
        one, two = (torch.ones(side, side, dtype=dtype, device=device) for _ in range(2))
        out = torch.empty_like(one)
        least = _least_seconds(partial(torch.mm, one, two, out=out), SLOW, device)
        best = max(best, 2 * side**3 / least)
        if least > SLOW:
            break
    return best


def _best_stream(dtype: torch.dtype, device: str) -> float:
    size = BEYOND_CACHE * last_cache(device)
    if memory():
        size = min(size, memory() // MEMORY_PART)
    source = torch.ones(size // dtype.itemsize, dtype=dtype, device=device)
    target = torch.ones_like(source)
    moved = source.nbytes + target.nbytes
    return moved / _least_seconds(lambda: target.copy_(source), STREAM_SECONDS, device)


def _least_seconds(run: Callable[[], Any], seconds: float, device: str) -> float:
    return min(_timed(run, seconds, cuda=device.startswith("cuda")).times)


def _timed(run: Callable[[], Any], seconds: float, *, cuda: bool) -> Measurement:
    if cuda:
        return time_on_device(run, seconds)
    timer = Timer("run()", globals={"run": run}, num_threads=torch.get_num_threads())
    return timer.blocked_autorange(min_run_time=seconds)
