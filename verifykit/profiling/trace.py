"""The trace of one training step, for Perfetto and chrome://tracing."""

import contextlib
import gzip
import tempfile
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from torch import nn
from torch.autograd.profiler import profile, record_function

from verifykit.errors import OutputError
from verifykit.profiling.keeping import write_whole
from verifykit.profiling.recording import record
from verifykit.profiling.step import TrainingStep, on_a_step
from verifykit.profiling.workload import Workload

# Bytes before packing: what Perfetto opens in a second or two.
LIMIT = 20_000_000
# What torch calls ranges that are opened by name: here the two phases and the modules.
_RANGE = "user_annotation"


def write_trace(load: Workload, path: Path, *, limit: int = LIMIT) -> None:
    """Write a trace of one training step to ``path``, as gzipped chrome JSON: its operators, and ranges for forward,
    for backward and for each call of a submodule, ``encoder.layers.0 (Linear)``.

    A trace of more than ``limit`` bytes before packing is cut to the ranges and the longest events of each thread,
    which its ``otherData`` says.

    Raises:
        OutputError: it cannot be written; nothing is left behind.
    """
    recorded = on_a_step(load, _recorded)
    try:
        write_whole(path, gzip.compress(_capped(_exported(recorded), limit), mtime=0))
    except OSError as error:
        raise OutputError(f"cannot write the trace to {str(path)!r}: {error.strerror or error}.") from error


def _recorded(step: TrainingStep) -> profile:
    load = step.load

    def run() -> None:
        step.feed()
        with record_function(f"{load.name} forward"):
            step.forward()
        with record_function(f"{load.name} backward"):
            step.backward()
        step.drop()

    step.prepare()
    with _ranges(load.module):
        return record(run, warm_up=1, cuda=load.cuda)


@contextlib.contextmanager
def _ranges(module: nn.Module) -> Iterator[None]:
    """Open a range around each call of a submodule."""
    opened: list[record_function] = []

    def begin(name: str, *_: Any) -> None:
        opened.append(record_function(name))
        opened[-1].__enter__()

    def end(*_: Any) -> None:
        opened.pop().__exit__(None, None, None)

    with contextlib.ExitStack() as hooks:
        for path, part in module.named_modules():
            if path:
                name = f"{path} ({type(part).__name__})"
                hooks.callback(part.register_forward_pre_hook(partial(begin, name)).remove)
                hooks.callback(part.register_forward_hook(end, always_call=True).remove)
        yield


def _exported(recorded: profile) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "trace.json")
        recorded.export_chrome_trace(str(file))
        return file.read_bytes()


def _capped(text: bytes, limit: int) -> bytes:
    if len(text) <= limit:
        return text
    trace = msgspec.json.decode(text)
    events = trace["traceEvents"]
    described = [event for event in events if event["ph"] == "M"]
    ranges = [event for event in events if event.get("cat") == _RANGE]
    threads: dict[Any, list[Any]] = {}
    for event in events:
        if event["ph"] != "M" and event.get("cat") != _RANGE:
            threads.setdefault((event.get("pid"), event.get("tid")), []).append(event)
    # Half of what is left of the text around the events is spared for what is said of the cut.
    kept = [*described, *_longest(ranges, limit // 2)]
    left = limit - _size({**trace, "traceEvents": kept})
    for thread in threads.values():
        kept += _longest(thread, left // len(threads))
    trace["traceEvents"] = kept
    note = f"cut to {len(kept)} of {len(events)} events: all that describe, the ranges, the longest of each thread"
    trace["otherData"] = {**trace.get("otherData", {}), "verifykit": note}
    return msgspec.json.encode(trace)


def _longest(events: Iterable[Any], limit: int) -> list[Any]:
    """Return the longest of ``events`` that take no more than ``limit`` bytes, in their order."""
    kept = set()
    numbered = list(enumerate(events))
    for number, event in sorted(numbered, key=lambda one: -one[1].get("dur", 0.0)):
        limit -= _size(event) + 1
        if limit < 0:
            break
        kept.add(number)
    return [event for number, event in numbered if number in kept]


def _size(value: Any) -> int:
    return len(msgspec.json.encode(value))
