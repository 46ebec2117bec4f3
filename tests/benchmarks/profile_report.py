"""Holds what ``verifykit profile`` measures against what is known, and writes ``reports/profile.md``: ``make
profile-report``. It takes some minutes, and wants a quiet machine.
"""

import math
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from tabulate import tabulate
from torch import nn

from tests.benchmarks import performance_costs as costs
from tests.benchmarks.agreement import agreements
from tests.profiling.growth.laws_known import KNOWN as LAWS
from tests.profiling.test_advice import BUILT_INS, KINDS, planted, subject_of
from tests.torch_modules import Known
from verifykit.config import TargetConfig
from verifykit.profiling import extent
from verifykit.profiling.growth import grown
from verifykit.profiling.interval import LAYOUT
from verifykit.profiling.measuring import measure
from verifykit.profiling.timing import QUICK, compared, time_alternately
from verifykit.profiling.workload import Workload
from verifykit.results.performance import Measurements
from verifykit.runner import Plan, prepare
from verifykit.spec.model import Spec, parse_input
from verifykit.spec.subject import Subject
from verifykit.spec.threads import threads_for
from verifykit.targets import resolve

PATH = Path("reports/profile.md")
REPEATS = 15
GROWTH_SECONDS = 4.0


def main() -> None:
    """Run all measurements and write the page."""
    parts: list[str] = [
        "# `verifykit profile`, measured",
        f"torch {torch.__version__}, {platform.machine()}, {torch.get_num_threads()} threads at most; written by "
        "`make profile-report`.",
    ]
    for part in (_cases, _agreement, _identical, _flops, _memory, _laws, _smells, _seconds):
        parts += part()
        sys.stderr.write(f"{part.__name__} done\n")
    PATH.write_text("\n\n".join(parts) + "\n")


def _cases() -> Iterator[str]:
    """CustomLinear at two sizes, side by side with nn.Linear."""
    yield "## `CustomLinear` beside `nn.Linear`"
    yield (
        "Each in one run with its reference; the pages have the rest: [(10, 5)](profile/CustomLinear-10x5.md), "
        "[(256, 1024)](profile/CustomLinear-256x1024.md)."
    )
    found = {
        "(10, 5), to 3": _profiled({"input_dim": 5, "output_dim": 3}, 10),
        "(256, 1024), to 1024": _profiled({"input_dim": 1024, "output_dim": 1024}, 256),
    }
    rows = []
    for name, measured in found.items():
        own, other = measured.profile, measured.reference
        assert own is not None
        assert other is not None
        for what, mine, its, ratio in (
            ("forward", own.forward, other.forward, measured.forward_ratio),
            ("backward", own.backward, other.backward, measured.backward_ratio),
            ("training step", own.step, other.step, measured.step_ratio),
        ):
            assert mine is not None
            assert its is not None
            assert ratio is not None
            told = f"{ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"
            verdict = "slower" if ratio.low > 1 else "faster" if ratio.high < 1 else "no difference measured"
            rows.append((name, what, _us(mine.median), _us(its.median), told, verdict, own.threads))
    yield _table(("input", "", "CustomLinear", "nn.Linear", "ratio", "", "threads"), rows)


def _profiled(init: dict[str, int], rows: int) -> Measurements:
    given = TargetConfig(dict(init), reference="torch.nn:Linear")
    subject, _ = prepare("reference_modules:CustomLinear", Plan([], given))
    return measure(subject, _times_alone(extent.full({"N": rows}, compile=False)))


def _times_alone(full: extent.Extent) -> extent.Extent:
    """As thorough as those of a page."""
    return extent.Extent(full.effort, full.sizes)


def _agreement() -> Iterator[str]:
    found = [*agreements()]
    worst = max(abs(one.difference) for one in found)
    yield "## Times against hand-written `torch.utils.benchmark` code"
    yield (
        "Medians of five rounds of each, in turn, in one process, on as many threads. The greatest difference is "
        f"{worst:.1%} (wanted: 5 %)."
    )
    rows = [(one.name, one.direction, _us(one.ours), _us(one.by_hand), f"{one.difference:+.1%}") for one in found]
    yield _table(("module", "", "verifykit", "by hand", "difference"), rows)


def _identical() -> Iterator[str]:
    yield "## A module against itself"
    ratios, wrong = [], 0
    for shape, make in (
        ((10, 5), lambda: nn.Linear(5, 3)),
        ((64, 256), lambda: nn.Linear(256, 256)),
        ((64, 512), nn.GELU),
        ((8, 32, 64), lambda: nn.TransformerEncoderLayer(64, 4, dropout=0.0, batch_first=True)),
    ):
        for _ in range(REPEATS):
            for ratio in _against_itself(make, shape):
                ratios.append(abs(math.log(ratio.value)))
                wrong += ratio.is_measured
    ordered = sorted(ratios)
    within = math.expm1(ordered[int(0.95 * len(ordered))])
    yield (
        f"Two equal copies of four modules, with the effort of `--quick`, {len(ratios)} ratios: a difference is said "
        f"to be measured in {wrong} ({wrong / len(ratios):.1%}); 95 of 100 ratios lie within {within:.1%} of 1. No "
        f"interval is taken for narrower than ±{LAYOUT:.0%}."
    )


def _against_itself(make: Any, shape: tuple[int, ...]) -> Iterator[Any]:
    loads = []
    for _ in range(2):
        torch.manual_seed(0)
        module = make().eval()
        inputs = [torch.randn(shape)]
        loads.append(Workload("it", module, lambda given: (given, {}), inputs, sizes={}, seed=0).prepare())
    with threads_for(0):
        own, other = time_alternately(loads, QUICK)
    for part in ("forward", "backward", "step"):
        yield compared(getattr(own, part), getattr(other, part))


def _flops() -> Iterator[str]:
    yield "## FLOPs against closed forms"
    yield "Backward is twice forward. More in `tests/profiling/test_work.py`."
    yield _table(("module", "forward", "counted", "expected", "backward counted", "expected"), [*costs.flops()])


def _memory() -> Iterator[str]:
    yield "## Peak memory against closed forms"
    rows = [*costs.memory()]
    worst = max(abs(one / other - 1) for _, *pair in rows for one, other in (pair[:2], pair[2:]))
    yield f"In bytes, above inputs, cotangents and parameters. The greatest difference is {worst:.2%} (wanted: 2 %)."
    yield _table(("module", "forward peak", "expected", "backward peak", "expected"), rows)


def _laws() -> Iterator[str]:
    yield "## Exponents of planted laws"
    rows, near, covered, count = [], 0, 0, 0
    for law in LAWS:
        target = resolve(f"{law.file}:{law.name}")
        subject = Subject(target, Spec({}, (parse_input("x", law.input),)))
        growth = next(iter(grown(subject, None, {"N": 64}, seconds=GROWTH_SECONDS)), None)
        time_law, peak = (growth.law("time"), growth.law("peak memory")) if growth else (None, None)
        count += 1
        if time_law is not None and growth is not None:
            truth = law.time_exponent(growth.points[-1].size)
            near += abs(time_law.exponent - truth) <= 0.1
            covered += abs(time_law.exponent - truth) <= time_law.error
        rows.append((f"`{law.name}`", law.says, _law(time_law), _law(peak), f"{law.memory:g}"))
    yield (
        f"In {GROWTH_SECONDS:g} s each. Of {count} exponents of time, {near} are within 0.1 of the truth, and "
        f"{covered} bars hold it."
    )
    yield _table(("module", "time is", "time measured", "peak memory measured", "peak memory is"), rows)


def _law(law: Any) -> str:
    return "none found" if law is None else f"{law.exponent:.2f} ± {law.error:.2f}"


def _smells() -> Iterator[str]:
    yield "## Planted smells"
    rows = []
    for stem in KINDS:
        modules = [*planted(stem)]
        found = sum(_is_named(one) for one in modules)
        rows.append((stem.replace("_", " "), len(modules), found))
    clean = [f"{one.file}:{one.name}" for one in planted("clean")]
    kinds = {stem.replace("_", " ") for stem in KINDS}
    alarms = [name for name in clean if _kinds(subject_of(name)) & kinds]
    built_in = [known.name for known in BUILT_INS if _kinds(_built_in(known)) & kinds]
    yield (
        "Through `verifykit profile --quick`, without growth: named with the right line. Of "
        f"{len(clean)} clean modules {len(alarms)} get such advice, of {len(BUILT_INS)} built-ins {len(built_in)}"
        f"{': ' + ', '.join([*alarms, *built_in]) if alarms or built_in else ''}."
    )
    yield _table(("smell", "planted", "named at its line"), rows)


def _built_in(known: Known) -> Subject:
    inputs = tuple(parse_input(name, text) for name, text in known.inputs.items())
    return Subject(resolve(known.target), Spec(known.init, inputs))


def _is_named(one: Any) -> bool:
    advice = measure(subject_of(f"{one.file}:{one.name}"), extent.quick({}, compile=False)).advice
    return any(a.kind == one.kind and a.location is not None and a.location.line in one.lines for a in advice)


def _kinds(subject: Subject) -> set[str]:
    return {advice.kind for advice in measure(subject, extent.quick({}, compile=False)).advice}


def _seconds() -> Iterator[str]:
    yield "## How long it takes"
    rows = []
    for words in (
        "torch import alone",
        "profile reference_modules:CustomLinear --quick --reference torch.nn:Linear",
        "profile reference_modules:CustomLinear",
        "profile reference_modules:CustomModel",
        "profile torch.nn:MultiheadAttention",
        "profile torch.nn:LSTM",
    ):
        if words.startswith("torch"):
            command = [sys.executable, "-c", "import torch"]
        else:
            command = [sys.executable, "-m", "verifykit", *words.split()]
        taken = []
        for _ in range(3):
            started = time.monotonic()
            subprocess.run(command, capture_output=True, check=True)
            taken.append(time.monotonic() - started)
        rows.append((f"`{words}`", f"{sorted(taken)[1]:.1f} s"))
    yield "Whole processes, the median of three. Wanted: 15 s, with `--quick` 3 s."
    yield _table(("command", "seconds"), rows)


def _us(seconds: float) -> str:
    return f"{seconds * 1e6:.4g} µs"


def _table(headers: tuple[str, ...], rows: list[Any]) -> str:
    return tabulate(rows, headers, "pipe", disable_numparse=True)


if __name__ == "__main__":
    main()
