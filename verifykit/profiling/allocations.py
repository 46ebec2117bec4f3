"""What some calls ask of the allocator: peaks, what stays, and all traffic, to the byte."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch._C._profiler import _EventType
from torch.autograd.profiler import profile, record_function

from verifykit.profiling.recording import record

_MARK = "verifykit::call"


@dataclass(frozen=True)
class Use:
    """Bytes of one call: the most alive at once above what was alive before it, what it left alive, which is negative
    if it freed more than it made, and all that it allocated.
    """

    peak: int
    left: int
    allocated: int


def uses(calls: Sequence[Callable[[], Any]], *, cuda: bool) -> list[Use]:
    """Return what each of ``calls``, made in turn, asks of the allocator of the host, or with ``cuda`` of the device.

    Garbage is collected after each, and at no other time. What was allocated before the first is not followed.
    """
    with _collecting_by_hand():
        return _on_device(calls) if cuda else _on_host(calls)


@contextmanager
def _collecting_by_hand() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    gc.freeze()  # so that collecting looks at new objects only, and is fast
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()


def _on_host(calls: Sequence[Callable[[], Any]]) -> list[Use]:
    def all_() -> None:
        for call in calls:
            with record_function(_MARK):
                pass
            call()
            gc.collect()

    levels = _levels(record(all_, warm_up=0))
    uses = []
    for asked in levels:
        level = peak = 0
        for size in asked:
            level += size
            peak = max(peak, level)
        uses.append(Use(peak, level, sum(size for size in asked if size > 0)))
    return uses


def _levels(recorded: profile) -> list[list[int]]:
    """Return, for each marked call, the bytes of its allocations and, negative, of what it freed, in order."""
    events = []
    pending = list(recorded.kineto_results.experimental_event_tree())  # type: ignore[union-attr]
    while pending:
        event = pending.pop()
        kind, fields = event.typed
        if event.name == _MARK or (kind == _EventType.Allocation and fields.device.type == "cpu"):
            events.append((event.start_time_ns, None if event.name == _MARK else fields))
        pending.extend(event.children)
    calls: list[list[int]] = []
    # The profiler remembers the sizes of blocks from earlier recordings, whatever became of them: trust our own.
    sizes: dict[int, int] = {}
    for _, fields in sorted(events, key=lambda event: event[0]):
        if fields is None:
            calls.append([])
        elif fields.alloc_size > 0:
            sizes[fields.ptr] = fields.alloc_size
            calls[-1].append(fields.alloc_size)
        elif fields.ptr in sizes:
            calls[-1].append(-sizes.pop(fields.ptr))
    return calls


def _on_device(calls: Sequence[Callable[[], Any]]) -> list[Use]:
    uses = []
    for call in calls:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_stats()
        call()
        gc.collect()
        torch.cuda.synchronize()
        after = torch.cuda.memory_stats()
        current, allocated = "requested_bytes.all.current", "requested_bytes.all.allocated"
        uses.append(
            Use(
                peak=after["requested_bytes.all.peak"] - before[current],
                left=after[current] - before[current],
                allocated=after[allocated] - before[allocated],
            )
        )
    return uses
