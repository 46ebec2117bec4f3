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
from verifykit.files import write_whole
from verifykit.profiling.recording import record
from verifykit.profiling.step import TrainingStep, on_a_step
from verifykit.profiling.workload import Workload

# Bytes before packing: what Perfetto opens in a second or two.
LIMIT = 20_000_000
# What torch calls ranges that are opened by name: here the two phases and the modules.
_RANGE = "user_annotation"
_NUMBER = "verifykit::range "


def write_trace(load: Workload, path: Path, *, limit: int = LIMIT) -> None:
    """Write a trace of one training step to ``path``, as gzipped chrome JSON: its operators, and ranges for forward,
    for backward and for each call of a submodule, ``encoder.layers.0 (Linear)``.

    A trace of more than ``limit`` bytes before packing is cut to the ranges and the longest events of each thread,
    which its ``otherData`` says. The name of the host is left out.

    Raises:
        OutputError: it cannot be written; nothing is left behind.
    """
    names = _Names()
    recorded = on_a_step(load, partial(_recorded, names=names))
    try:
        write_whole(path, gzip.compress(_capped(_exported(recorded, path.name, names), limit), mtime=0))
    except OSError as error:
        raise OutputError(f"cannot write the trace to {str(path)!r}: {error.strerror or error}.") from error


class _Names(list[str]):
    """What the ranges are really called: torch would write a name as it is, and quotes and the like break the JSON."""

    def number(self, name: str) -> str:
        if name not in self:
            self.append(name)
        return f"{_NUMBER}{self.index(name)}"

    def restore(self, event: dict[str, Any]) -> None:
        if event.get("cat") == _RANGE and event["name"].startswith(_NUMBER):
            event["name"] = self[int(event["name"].removeprefix(_NUMBER))]


def _recorded(step: TrainingStep, names: _Names) -> profile:
    load = step.load

    def run() -> None:
        step.feed()
        with record_function(names.number(f"{load.name} forward")):
            step.forward()
        with record_function(names.number(f"{load.name} backward")):
            step.backward()
        step.drop()

    step.prepare()
    with _ranges(load.module, names):
        return record(run, warm_up=1, cuda=load.cuda)


@contextlib.contextmanager
def _ranges(module: nn.Module, names: _Names) -> Iterator[None]:
    """Open a range around each call of a submodule."""
    opened: list[record_function] = []

    def begin(name: str, *_: Any) -> None:
        opened.append(record_function(name))
        opened[-1].__enter__()  # type: ignore[no-untyped-call]

    def end(*_: Any) -> None:
        opened.pop().__exit__(None, None, None)

    with contextlib.ExitStack() as hooks:
        for path, part in module.named_modules():
            if path:
                name = names.number(f"{path} ({type(part).__name__})")
                hooks.callback(part.register_forward_pre_hook(partial(begin, name)).remove)
                hooks.callback(part.register_forward_hook(end, always_call=True).remove)
        yield


def _exported(recorded: profile, name: str, names: _Names) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "trace.json")
        recorded.export_chrome_trace(str(file))  # type: ignore[no-untyped-call]
        trace: dict[str, Any] = msgspec.json.decode(file.read_bytes())
    for event in trace["traceEvents"]:
        names.restore(event)
    trace.pop("host_name", None)  # a trace is passed on to others
    return {**trace, "traceName": name}


def _capped(trace: dict[str, Any], limit: int) -> bytes:
    text = msgspec.json.encode(trace)
    if len(text) <= limit:
        return text
    events = trace["traceEvents"]
    described = [event for event in events if event["ph"] == "M"]
    ranges = [event for event in events if event.get("cat") == _RANGE]
    threads: dict[Any, list[Any]] = {}
    for event in events:
        if event["ph"] != "M" and event.get("cat") != _RANGE:
            threads.setdefault((event.get("pid"), event.get("tid")), []).append(event)
    note = f"cut from {len(events)} events: the ranges and the longest of each thread are left"
    cut = {**trace, "otherData": {**trace.get("otherData", {}), "verifykit": note}, "traceEvents": described}
    left = limit - _size(cut)
    ordered = [ranges, *sorted(threads.values(), key=len)]
    for number, some in enumerate(ordered):
        # All that is left is for the ranges, if need be; then threads share alike, the small ones first.
        longest = _longest(some, left // (len(ordered) - number) if number else left)
        cut["traceEvents"] = [*cut["traceEvents"], *longest]
        left -= sum(_size(event) + 1 for event in longest)
    return msgspec.json.encode(cut)


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
