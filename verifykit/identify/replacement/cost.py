"""What target and reference cost side by side: time, parameters, memory."""

from dataclasses import dataclass

from verifykit.identify.facts import Facts
from verifykit.profiling.memory import measure_memory
from verifykit.profiling.timing import QUICK, Times, compared, time_alternately
from verifykit.profiling.workload import Workload, reference_workload, workload
from verifykit.results.comparison import Cost
from verifykit.results.cost import Ratio
from verifykit.spec.reference import Reference


@dataclass(frozen=True)
class Costs:
    """Of the target and of the reference, and how their times compare."""

    own: Cost
    other: Cost
    forward_ratio: Ratio | None
    backward_ratio: Ratio | None


def costs(facts: Facts, reference: Reference) -> Costs:
    """Return the costs of the target and of ``reference`` in eval mode at the usual sizes, timed in turn. What they
    raise passes through.
    """
    loads = [workload(facts.subject), reference_workload(facts.subject, reference)]
    own, other = time_alternately(loads, QUICK)
    return Costs(
        _cost(loads[0], own),
        _cost(loads[1], other),
        compared(own.forward, other.forward),
        compared(own.backward, other.backward),
    )


def _cost(load: Workload, times: Times) -> Cost:
    parameters, memory = list(load.module.parameters()), measure_memory(load)
    return Cost(
        load.name,
        load.sizes,
        times.forward.timing,
        times.backward.timing if times.backward else None,
        sum(p.numel() for p in parameters),
        sum(p.numel() * p.element_size() for p in parameters),
        max(memory.forward_peak, memory.backward_peak or 0),
        memory.saved,
    )
