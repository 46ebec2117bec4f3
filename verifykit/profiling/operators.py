"""Time and memory per operator, by torch's profiler."""

from collections.abc import Callable
from typing import Any

from torch._C._autograd import DeviceType

from verifykit.profiling.recording import record
from verifykit.profiling.workload import Workload
from verifykit.results.cost import OperatorCost

# Calls that are recorded, and the events of one above which it alone must do: torch takes long to sort them.
CALLS, MANY = 5, 1000
MICROSECOND = 1e-6


def profile_operators(load: Workload) -> tuple[list[OperatorCost], list[OperatorCost]]:
    """Return the operators of forward and of backward, per call of the module, those of the most self time first."""
    forward = _costs(load, load.forward)
    if not load.differentiable:
        return forward, []
    return forward, _costs(load, load.vjp(load.outputs(load.forward())))


def _costs(load: Workload, run: Callable[[], Any]) -> list[OperatorCost]:
    calls, recorded = 1, record(run, cuda=load.cuda)
    if len(recorded.function_events or ()) < MANY:
        calls, recorded = CALLS, record(run, calls=CALLS, warm_up=0, cuda=load.cuda)
    events = recorded.key_averages()  # type: ignore[no-untyped-call]
    costs = [
        OperatorCost(
            name=event.key,
            calls=event.count / calls,
            self_cpu=event.self_cpu_time_total * MICROSECOND / calls,
            total_cpu=event.cpu_time_total * MICROSECOND / calls,
            memory=event.self_cpu_memory_usage / calls,
            self_device=event.self_device_time_total * MICROSECOND / calls,
        )
        for event in events
        if event.device_type == DeviceType.CPU and not event.key.startswith("[memory]")
    ]
    return sorted(costs, key=lambda cost: -cost.self_cpu)
