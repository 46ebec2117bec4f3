"""Where a step spends its time: lines, submodules, overhead, copies, and waits for the device."""

from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

from verifykit.profiling.state import unchanged
from verifykit.profiling.step import TrainingStep, on_a_step
from verifykit.profiling.where.copies import copies_of
from verifykit.profiling.where.lines import line_costs
from verifykit.profiling.where.overhead import overhead_of
from verifykit.profiling.where.submodules import submodule_costs
from verifykit.profiling.where.waits import waits_in
from verifykit.profiling.workload import Workload
from verifykit.results import Location
from verifykit.results.cost import Copied, Waited, Where
from verifykit.tracing import trace

T = TypeVar("T")


def where_of(load: Workload) -> Where:
    """Return where ``load`` spends its time: lines over a training step, all else over a forward as it is timed. What
    cannot be measured, because the module raises when it is looked at in that way, is left empty.

    The module is left as it was.
    """
    nothing: tuple[list[Copied], int] = ([], 0)
    copies, operators = _tried(lambda: _on_forward(load, copies_of), nothing)
    return Where(
        lines=_tried(lambda: on_a_step(load, line_costs), []),
        submodules=_tried(lambda: _on_forward(load, submodule_costs), []),
        overhead=_tried(lambda: _on_forward(load, overhead_of), None),
        operators_per_call=operators,
        copies=copies,
        waits=_tried(lambda: _waits(load), []),
    )


def _on_forward(load: Workload, measure: Callable[[TrainingStep], T]) -> T:
    with load.default(), unchanged(load.module):
        return measure(TrainingStep(load))


def _waits(load: Workload) -> list[Waited]:
    """The waits of forward in the mode that it is in, and those that come in training mode alone."""
    found: Counter[tuple[str, Location | None]] = Counter()
    for mode in (nullcontext(), load.training()):
        with load.default(), unchanged(load.module), mode:
            step = TrainingStep(load)
            step.prepare()
            step.feed()
            data = [*step.fed, *load.module.parameters(), *load.module.buffers()]
            found |= Counter((what, one.location) for one, what in waits_in(trace(step.forward), data))
    return [Waited(what, location, calls) for (what, location), calls in found.most_common()]


def _tried(measure: Callable[[], T], otherwise: T) -> T:
    try:
        return measure()
    except Exception:
        return otherwise
