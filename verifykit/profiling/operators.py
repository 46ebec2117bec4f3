"""Time and memory per operator, and a trace, by ``torch.profiler``."""

import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path

from torch._C._autograd import DeviceType
from torch.profiler import ProfilerActivity, profile, record_function, schedule

from verifykit.errors import OutputError
from verifykit.profiling.workload import Workload
from verifykit.results import OperatorCost

WARMUP, ACTIVE = 3, 5
KEPT = 15
MICROSECOND = 1e-6


def profile_operators(load: Workload, trace: Path | None) -> tuple[list[OperatorCost], list[OperatorCost]]:
    """Return the operators of forward and of backward that cost the most self time, per call of the module.

    After three warm-up steps five are recorded. With ``trace``, one more step of both is written there, gzipped.

    Raises:
        OutputError: the trace cannot be written.
    """
    outputs = load.forward()
    forward = _costs(load, lambda: load.forward())
    backward = _costs(load, lambda: load.backward(outputs)) if load.differentiable else []
    if trace is not None:
        _write_trace(load, trace)
    return forward, backward


def _activities(load: Workload) -> list[ProfilerActivity]:
    return [ProfilerActivity.CPU, ProfilerActivity.CUDA] if load.cuda else [ProfilerActivity.CPU]


def _costs(load: Workload, run: Callable[[], object]) -> list[OperatorCost]:
    steps = schedule(wait=0, warmup=WARMUP, active=ACTIVE)
    with profile(activities=_activities(load), schedule=steps, profile_memory=True, acc_events=True) as profiler:
        for _ in range(WARMUP + ACTIVE):
            run()
            profiler.step()
    costs = [
        OperatorCost(
            name=event.key,
            calls=event.count / ACTIVE,
            self_cpu=event.self_cpu_time_total * MICROSECOND / ACTIVE,
            total_cpu=event.cpu_time_total * MICROSECOND / ACTIVE,
            memory=event.self_cpu_memory_usage / ACTIVE,
        )
        for event in profiler.key_averages()
        if event.device_type == DeviceType.CPU and not event.key.startswith(("ProfilerStep", "[memory]"))
    ]
    return sorted(costs, key=lambda cost: -cost.self_cpu)[:KEPT]


def _write_trace(load: Workload, path: Path) -> None:
    with profile(activities=_activities(load)) as profiler:
        with record_function(f"{load.name} forward"):
            outputs = load.forward()
        with record_function(f"{load.name} backward"):
            load.backward(outputs)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            plain, packed = Path(folder, "trace.json"), Path(folder, "trace.json.gz")
            profiler.export_chrome_trace(str(plain))
            packed.write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
            packed.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write the trace to {str(path)!r}: {error.strerror or error}.") from error
