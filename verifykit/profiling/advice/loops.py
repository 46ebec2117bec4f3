"""loop over batch, loop over length: operators called once for each sample or step, from Python."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch

from verifykit.profiling.advice.calls import Call, calls_of
from verifykit.profiling.advice.experiment import Experiment
from verifykit.profiling.advice.statements import lines_run, loop_of
from verifykit.profiling.advice.words import figure
from verifykit.profiling.workload import workload
from verifykit.results import Location
from verifykit.results.cost import Where
from verifykit.results.performance import Advice
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject

# Operators for each unit of a size from which it is a loop over that size, where no statement is seen that loops.
LEAST_PER_UNIT = 0.9
LEAST_SHARE = 0.1
# Growth that levels off is no loop over this size: what a unit costs may fall by no more than this.
LEVEL = 0.9
LEAST_SIZE = 2
# Calls of one forward from which the least sizes have to do.
MANY = 500
BATCH_NAMES = ("n", "b", "batch")
LENGTH_NAMES = ("l", "t", "s")


@dataclass
class _Loop:
    """The calls of one loop: whether its statement is known, operators for each unit, and the lines that call them."""

    is_statement: bool
    per_unit: float = 0.0
    lines: list[Location] = field(default_factory=list)


def loops(experiment: Experiment, where: Where | None) -> Iterator[Advice]:
    """Count the operators that each line calls at three sizes of every symbol, and name the loops behind those that
    grow, with their share of a step's time.
    """
    told: set[Location] = set()
    for symbol in experiment.subject.spec.free:
        try:
            found = _statements(experiment, symbol)
        except Exception:  # sizes that the module refuses
            continue
        for place, loop in found.items():
            share = _share(experiment.calls, loop.lines, where)
            is_loop = loop.is_statement or loop.per_unit >= LEAST_PER_UNIT
            if place in told or not is_loop or share < LEAST_SHARE:
                continue
            told.add(place)
            yield _advice(experiment, symbol, place, loop, share)


def is_batch(subject: Subject, symbol: str) -> bool:
    """Whether ``symbol`` counts samples: by its name, or, where none has such a name, as an input's first dimension."""
    named = [name for name in subject.spec.free if name.lower() in BATCH_NAMES]
    first = [str(entry.shape[0]) for entry in subject.spec.inputs if entry.shape]
    return symbol in (named or first)


def _statements(experiment: Experiment, symbol: str) -> Mapping[Location, _Loop]:
    subject, usual = experiment.subject, experiment.load.sizes
    top = 4 * LEAST_SIZE if len(experiment.calls) > MANY else max(usual[symbol], 4 * LEAST_SIZE)
    loads = [workload(subject, {**usual, symbol: size}) for size in (top // 4, top // 2, top)]
    with seeded(subject.seed), loads[0].default(), torch.no_grad():
        calls = [calls_of(load.forward) for load in loads]
        grown = _growing(calls, [load.sizes[symbol] for load in loads])
        stacks = {call.location: call.stack for call in calls[-1] if call.location in grown}
        files = {frame.frame.f_code.co_filename for stack in stacks.values() for frame in stack if frame.is_users}
        few, many = (lines_run(load.forward, files) if files else Counter() for load in loads[1:])
    found: dict[Location, _Loop] = {}
    for location, per_unit in grown.items():
        statement = loop_of(stacks[location], few, many)
        loop = found.setdefault(statement.location if statement else location, _Loop(statement is not None))
        loop.per_unit += per_unit
        loop.lines.append(location)
    return found


def _growing(runs: Sequence[Sequence[Call]], sizes: Sequence[int]) -> dict[Location, float]:
    """Operators for each unit, of the lines that call more of them, in more calls from Python, from one size to the
    next. What loops inside one function of torch, as a recurrent layer does, no line can help.
    """
    operators, calls = zip(*(_counts(run) for run in runs), strict=True)
    return {
        line: slope for line in calls[-1] if _slope(line, calls, sizes) and (slope := _slope(line, operators, sizes))
    }


def _counts(run: Sequence[Call]) -> tuple[Counter[Location], Counter[Location]]:
    operators: Counter[Location] = Counter()
    calls: Counter[Location] = Counter()
    for call in run:
        if call.location is not None and call.operators:
            operators[call.location] += len(call.operators)
            calls[call.location] += 1
    return operators, calls


def _slope(line: Location, counts: Sequence[Counter[Location]], sizes: Sequence[int]) -> float:
    """How many more there are for one more unit at the upper end, 0 where the growth levels off."""
    first, then = (
        (more[line] - less[line]) / (larger - smaller)
        for (less, more), (smaller, larger) in zip(pairwise(counts), pairwise(sizes), strict=True)
    )
    return then if first > 0 and then >= LEVEL * first else 0.0


def _share(calls: Sequence[Call], lines: Sequence[Location], where: Where | None) -> float:
    if where is not None and where.lines:
        return sum(cost.share for cost in where.lines if cost.location in lines)
    total = sum(call.seconds for call in calls)
    return sum(call.seconds for call in calls if call.location in lines) / total if total else 0.0


def _advice(experiment: Experiment, symbol: str, place: Location, loop: _Loop, share: float) -> Advice:
    batch = is_batch(experiment.subject, symbol)
    over = "batch" if batch else "length"
    noun = f"the {over}" if batch or symbol.lower().startswith(LENGTH_NAMES) else symbol
    chained = not batch and _is_recurrence(experiment.calls, loop.lines, experiment.load.sizes[symbol])
    do = "one operator over the whole batch pays once" if batch else "one operator over all of it pays once"
    if chained:
        do = "each step needs the one before, so a fused built-in (nn.LSTM, nn.GRU, cumsum, a scan) is what helps"
    return Advice(
        f"loop over {over}",
        f"the loop over {noun} at line {place.line} costs {share:.0%} of a step; operators grow as "
        f"{_multiple(loop.per_unit, symbol)}: {do}",
        place,
        share,
        {
            "symbol": symbol,
            "operators per unit": loop.per_unit,
            "lines": sorted(line.line for line in loop.lines),
            "recurrence": chained,
        },
    )


def _multiple(per_unit: float, symbol: str) -> str:
    """``N``, ``5·N``, or, for one operator in eight, ``N/8``."""
    if per_unit < 1 and abs(1 / per_unit - round(1 / per_unit)) < 0.01:
        return f"{symbol}/{1 / per_unit:.0f}".removesuffix("/1")
    factor = figure(per_unit)
    return symbol if factor == "1" else f"{factor}·{symbol}"


def _is_recurrence(calls: Sequence[Call], lines: Sequence[Location], size: int) -> bool:
    """Whether most of the loop's operators stand in one chain, as long as the loop, each needing the one before."""
    depths: dict[int, int] = {}
    inside = 0
    for call in calls:
        if not call.operators:
            continue
        counts = call.location in lines and bool(call.computing)
        inside += counts
        depth = counts + max((depths.get(id(t), 0) for t in call.given), default=0)
        changed = [t for t, one, other in zip(call.given, call.before, call.after, strict=True) if one != other]
        depths.update({id(t): depth for t in [*call.made, *changed]})
    longest = max(depths.values(), default=0)
    return longest >= 0.9 * size and longest >= inside / 2
