"""recomputation: the same values computed twice in one forward, or in every forward though nothing changes them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from verifykit.profiling.advice.calls import Call, Frame
from verifykit.profiling.advice.experiment import Experiment, Replies, Worth
from verifykit.profiling.advice.handing import Given, Reply
from verifykit.profiling.advice.numbering import Again, Numbering
from verifykit.profiling.advice.words import listed
from verifykit.results import Location
from verifykit.results.performance import Advice

# The least share of a step's time, the whole interval of it.
LEAST_GAIN = 0.05
# A table costs a few operators at every call as a matter of course.
LEAST_GAIN_CONSTANT = 0.1
TRIED = 3

# Operators that compute nothing: they fill or move; views are recognised by themselves.
_CHEAP = ("fill_", "zero_", "clone", "copy_", "_to_copy", "arange", "scalar_tensor")
_FILLS = ("empty", "zeros", "ones", "full", "new_empty", "new_zeros", "new_ones", "new_full")


def recomputations(experiment: Experiment) -> Iterator[Advice]:
    """Find what is computed twice, or is the same in every forward, by value numbering; hand on what is there already,
    see that nothing changes, and time it.
    """
    numbering = Numbering.of(experiment.calls)
    groups = sorted(_groups(numbering.again).items(), key=lambda item: -_seconds(item[1]))
    for key, group in groups[:TRIED]:
        if experiment.changes_nothing(partial(_repeated_at, key, _sites(group))):
            worth = experiment.worth(_handed(group), LEAST_GAIN)
            if worth is not None:
                yield _twice(group, worth)
    for by_buffers in (True, False):
        constants = _constants(experiment.calls, by_buffers=by_buffers)
        if constants and experiment.changes_nothing(partial(_kept, by_buffers=by_buffers)):
            # What is stored takes its memory for good: only time counts.
            worth = experiment.worth(_stored(constants), LEAST_GAIN_CONSTANT, counts_memory=False)
            if worth is not None:
                yield _constant(experiment, constants, worth)
            return


def _groups(again: list[Again]) -> Mapping[Any, list[Again]]:
    """Repeated calls by the two places in the user's code that lead to them."""
    groups: dict[Any, list[Again]] = {}
    for one in again:
        places = _places(one)
        if places is not None:
            groups.setdefault((places[0].location, places[1].location), []).append(one)
    return {key: group for key, group in groups.items() if any(_computes(one.call) for one in group)}


def _places(again: Again) -> tuple[Frame, Frame] | None:
    """Where the ways to both calls part; ``None`` where that is in torch's own code."""
    common = None
    for one, other in zip(again.first.stack, again.call.stack, strict=False):
        if one.frame is not other.frame:
            break
        common = one, other
    return common if common and common[0].is_users else None


def _repeated_at(key: Any, sites: Counter[Any], calls: list[Call]) -> Replies:
    """The repeated calls of the same places; none where they are others, as when a dropout stands in between."""
    group = _groups(Numbering.of(calls).again).get(key, [])
    return _handed(group) if _sites(group) == sites else {}


def _sites(group: list[Again]) -> Counter[Any]:
    return Counter(one.call.site for one in group if _computes(one.call))


def _handed(group: list[Again]) -> Replies:
    def earlier(number: int) -> Reply:
        return lambda given, results: results[number]

    return {one.call.number: (one.call.func, earlier(one.first.number)) for one in group}


def _kept(calls: list[Call], *, by_buffers: bool) -> Replies:
    return _stored(_constants(calls, by_buffers=by_buffers))


def _constants(calls: list[Call], *, by_buffers: bool) -> list[Call]:
    """All constants, where any of them that the user's code asks for takes computing."""
    constants = Numbering.of(calls, by_buffers=by_buffers).constants
    return constants if any(_computes(call) and call.location for call in constants) else []


def _stored(calls: list[Call]) -> Replies:
    def stored(result: Any) -> Reply:
        def reply(given: Given, results: Mapping[int, Any]) -> Any:
            return result

        return reply

    return {call.number: (call.func, stored(call.result)) for call in calls}


def _twice(group: list[Again], worth: Worth) -> Advice:
    places = _places(group[0])
    assert places is not None
    first, again = places
    names = list(dict.fromkeys(one.call.name for one in group if _computes(one.call)))
    where = f"what line {first.line} has computed"
    if first.line == again.line:
        in_turns = first.instruction == again.instruction
        where = "in each turn what does not change" if in_turns else "what it has computed already"
    return Advice(
        "recomputation",
        f"line {again.line} computes again {where} ({', '.join(names[:4])}): kept from the first time, results and "
        f"gradients stay the same, and {worth.words}",
        again.location,
        worth.share,
        {"first": str(first.location), "calls": len(group), **worth.evidence},
    )


def _constant(experiment: Experiment, calls: list[Call], worth: Worth) -> Advice:
    by_line: dict[Location, float] = {}
    for call in calls:
        if call.location is not None and _computes(call):
            by_line[call.location] = by_line.get(call.location, 0.0) + call.seconds
    location = max(by_line, key=lambda line: by_line[line])
    there = [call for call in calls if call.location and call.location.file == location.file and call.computing]
    lines = sorted({call.location.line for call in there if call.location})
    makers = [call for call in there if any(operator.name != "copy_" for operator in call.computing)]
    names = list(dict.fromkeys(call.name for call in makers))
    buffers = _buffers(experiment, calls)
    source = f" but {', '.join(buffers[:3])}" if buffers else ""
    verb = "computes" if len(lines) == 1 else "compute"
    once = "computed once" if buffers else "built once for each size"
    return Advice(
        "recomputation",
        f"{listed(lines)} {verb} at every call what depends on no input and no parameter{source} "
        f"({', '.join(names[:6])}): {once}, {worth.words}",
        location,
        worth.share,
        {"lines": lines, "buffers": buffers, **worth.evidence},
    )


def _buffers(experiment: Experiment, calls: list[Call]) -> list[str]:
    used = {id(t) for call in calls for t, is_buffer in zip(call.given, call.buffers, strict=True) if is_buffer}
    return [f"the buffer {name}" for name, buffer in experiment.load.module.named_buffers() if id(buffer) in used]


def _seconds(group: list[Again]) -> float:
    return sum(one.call.seconds for one in group)


def _computes(call: Call) -> bool:
    return any(operator.name not in _CHEAP and not operator.name.startswith(_FILLS) for operator in call.computing)
