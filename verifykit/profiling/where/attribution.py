"""Lays each operator of recorded steps to the line, or to the operator of forward, that is behind it."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch._C._autograd import DeviceType
from torch._C._profiler import RecordScope, _EventType
from torch.autograd.profiler import profile

from verifykit.results import Location

# The ranges that a recording is marked with; after LINE comes the number of the line.
LINE, FORWARD, BACKWARD = "verifykit::line ", "verifykit::forward", "verifykit::backward"
_ENGINE = ("autograd::", "torch::autograd::")
NANOSECOND = 1e-9


@dataclass(frozen=True)
class Operator:
    """One call of an operator in the recorded step ``step``: its own seconds, without other operators that it calls,
    and the bytes that it allocates itself.

    ``caller`` is the outermost operator around it, or itself; ``origin`` that of forward which made the node of the
    graph that it belongs to, with its line.
    """

    caller: str
    origin: str
    line: Location | None
    step: int
    is_outermost: bool
    is_backward: bool
    seconds: float
    allocated: int


@dataclass(frozen=True)
class _Place:
    """What an event stands in: a phase of the step, a line of the user's, an operator, a node of the graph."""

    phase: str | None = None
    line: Location | None = None
    operator: str | None = None
    node: int = -1


def operators_of(recorded: profile, lines: Sequence[Location | None], *, cuda: bool) -> list[Operator]:
    """Return the operators of the recorded steps. With ``cuda`` their seconds are those on the device."""
    roots = recorded.kineto_results.experimental_event_tree()  # type: ignore[union-attr]
    starts = sorted(event.start_time_ns for event in roots if event.name == FORWARD)
    device = _device_seconds(recorded) if cuda else None
    origins: dict[int, tuple[Location | None, str]] = {}  # of the nodes of the graph
    found = []
    for event, place in sorted(_events(roots, lines), key=lambda one: one[0].start_time_ns):
        caller = place.operator or event.name
        line, origin = place.line, caller
        if line is None:
            line, origin = origins.get(place.node, (line, origin))
        number = event.extra_fields.sequence_number
        # The last operator to see a number is the one whose node in the graph gets it.
        if number >= 0 and (place.line or place.phase == FORWARD):
            origins[number] = line, origin
        found.append(
            Operator(
                caller=caller,
                origin=origin,
                line=line,
                step=bisect_right(starts, event.start_time_ns) - 1,
                is_outermost=place.operator is None,
                is_backward=place.phase == BACKWARD,
                seconds=_own_seconds(event, device),
                allocated=sum(_allocated(child) for child in event.children),
            )
        )
    return found


def _events(roots: Sequence[Any], lines: Sequence[Location | None]) -> Iterator[tuple[Any, _Place]]:
    """Yield the events of operators, each with what it stands in."""
    pending = [(event, _Place()) for event in roots]
    while pending:
        event, place = pending.pop()
        if event.tag != _EventType.TorchOp:
            continue
        if _is_operator(event) and place.phase:
            yield event, place
        inside = _entered(event, place, lines)
        pending += [(child, inside) for child in event.children]


def _is_operator(event: Any) -> bool:
    is_function = event.extra_fields.scope == RecordScope.FUNCTION
    return is_function and "::" in event.name and not event.name.startswith(_ENGINE)


def _entered(event: Any, place: _Place, lines: Sequence[Location | None]) -> _Place:
    """Return what the children of ``event``, which stands in ``place``, stand in."""
    if event.name in (FORWARD, BACKWARD):
        return _Place(event.name)
    if event.name.startswith(LINE):
        return _Place(place.phase, lines[int(event.name.removeprefix(LINE))], None, place.node)
    if event.name.startswith(_ENGINE) or event.extra_fields.scope == RecordScope.BACKWARD_FUNCTION:
        # On a device, backward runs in a thread of its own, where the range is not seen.
        return _Place(place.phase or BACKWARD, None, None, event.extra_fields.sequence_number)
    if _is_operator(event) and place.operator is None:
        return _Place(place.phase, place.line, event.name, place.node)
    return place


def _own_seconds(event: Any, device: Mapping[int, float] | None) -> float:
    if device is not None:
        return device.get(event.correlation_id, 0.0)
    own: int = event.duration_time_ns - sum(child.duration_time_ns for child in event.children)
    return max(own, 0) * NANOSECOND


def _device_seconds(recorded: profile) -> dict[int, float]:
    """Return the seconds of the kernels that each operator launched itself, by its correlation id."""
    seconds: dict[int, float] = {}
    for event in recorded.kineto_results.events():  # type: ignore[union-attr]
        if event.device_type() == DeviceType.CUDA:
            operator = event.linked_correlation_id()
            seconds[operator] = seconds.get(operator, 0.0) + event.duration_ns() * NANOSECOND
    return seconds


def _allocated(event: Any) -> int:
    return max(event.extra_fields.alloc_size, 0) if event.tag == _EventType.Allocation else 0
