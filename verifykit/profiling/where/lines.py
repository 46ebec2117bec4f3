"""What each line of the module's own code costs, forward and backward, by the operators that it calls."""

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec.structs import replace
from torch.autograd.profiler import record_function
from torch.overrides import TorchFunctionMode

from verifykit.profiling.graph import is_custom, nodes_of
from verifykit.profiling.recording import record
from verifykit.profiling.step import TrainingStep
from verifykit.profiling.where.attribution import BACKWARD, FORWARD, LINE, Operator, operators_of
from verifykit.results import Location
from verifykit.results.cost import LineCost
from verifykit.tracing import user_line

WARM_UP = 2
STEPS = 5
# No more steps are recorded than run in so many seconds, but one.
SECONDS = 0.2


def line_costs(step: TrainingStep) -> list[LineCost]:
    """Return the cost of a training step by line, the costliest first: the self times of its operators, so that
    neither the profiler nor Python counts, the median over some steps, and what they allocate.

    Backward is laid to the line of forward that made its node of the graph, or to its own line inside a custom
    function. Where there is no line of the user's, each operator that forward calls stands by itself, named first,
    with the location ``None``.
    """
    step.prepare()
    for _ in range(WARM_UP):
        started = time.perf_counter()
        step.whole()
        seconds = time.perf_counter() - started
    steps = max(1, min(STEPS, int(SECONDS / seconds)))
    lines = _Lines()

    def run() -> None:
        step.feed()
        # A range that is opened within the mode would be taken for a call of the module's.
        with record_function(FORWARD), lines:
            step.forward()
        lines.follow(nodes_of(step.load.outputs(step.result)))
        with record_function(BACKWARD):
            step.backward()
        step.drop()

    recorded = record(run, calls=steps, warm_up=0, cuda=step.load.cuda)
    return _summed(operators_of(recorded, lines.locations, cuda=step.load.cuda), steps)


class _Lines(TorchFunctionMode):
    """Opens a range, named by the line of the user's code, around each outermost torch function."""

    def __init__(self) -> None:
        super().__init__()
        self.locations: list[Location | None] = []
        self._numbers: dict[Location | None, int] = {}

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        location = user_line()
        number = self._numbers.setdefault(location, len(self._numbers))
        if number == len(self.locations):
            self.locations.append(location)
        with record_function(f"{LINE}{number}"):
            return func(*args, **(kwargs or {}))

    def follow(self, nodes: Iterable[Any]) -> None:
        """See to the lines of backwards written in Python, too: autograd runs them outside any mode."""
        for node in nodes:
            if is_custom(node):
                node.register_prehook(self._enter)
                node.register_hook(self._exit)

    def _enter(self, _: Any) -> None:
        self.__enter__()  # type: ignore[no-untyped-call]

    def _exit(self, *_: Any) -> None:
        self.__exit__(None, None, None)  # type: ignore[no-untyped-call]


def _summed(operators: Iterable[Operator], steps: int) -> list[LineCost]:
    groups: dict[tuple[Location | None, str | None], list[Operator]] = {}
    for operator in operators:
        groups.setdefault((operator.line, None if operator.line else operator.origin), []).append(operator)
    costs = [_cost(line, origin, group, steps) for (line, origin), group in groups.items()]
    total = sum(cost.forward + cost.backward for cost in costs) or 1.0
    costs = [replace(cost, share=(cost.forward + cost.backward) / total) for cost in costs]
    return sorted(costs, key=lambda cost: -cost.share)


def _cost(line: Location | None, origin: str | None, group: Sequence[Operator], steps: int) -> LineCost:
    names: dict[str, float] = {}
    for operator in group:
        names[operator.caller] = names.get(operator.caller, 0.0) + operator.seconds
    forward = [operator for operator in group if not operator.is_backward]
    backward = [operator for operator in group if operator.is_backward]
    return LineCost(
        location=line,
        forward=_median_step(forward, steps),
        backward=_median_step(backward, steps),
        share=0.0,
        allocated=sum(operator.allocated for operator in group) // steps,
        calls=sum(operator.is_outermost for operator in forward) // steps,
        operators=sorted(names, key=lambda name: (name != origin, -names[name])),
    )


def _median_step(operators: Iterable[Operator], steps: int) -> float:
    seconds = [0.0] * steps
    for operator in operators:
        seconds[operator.step] += operator.seconds
    return statistics.median(seconds)
