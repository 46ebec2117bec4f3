import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from verifykit.errors import OutputError
from verifykit.profiling.measuring import measure
from verifykit.results import Measurements
from verifykit.spec.model import Spec, parse_input
from verifykit.spec.reference import resolve_reference
from verifykit.spec.subject import Subject
from verifykit.targets import resolve


def measured(
    target: str,
    init: dict[str, Any] | None = None,
    reference: str | None = None,
    trace: Path | None = None,
    **inputs: str,
) -> Measurements:
    spec = Spec(init or {}, tuple(parse_input(name, text) for name, text in inputs.items()))
    other = resolve_reference(reference, spec.init) if reference else None
    return measure(Subject(resolve(target), spec, reference=other), trace=trace)


def test_a_linear_layer_beside_its_reference(tmp_path: Path) -> None:
    trace = tmp_path / "deep" / "linear.trace.json.gz"
    init = {"input_dim": 8, "output_dim": 4}
    state = torch.get_rng_state()
    found = measured("reference_modules:CustomLinear", init, "torch.nn:Linear", trace, x="float[16, 8]")
    assert torch.equal(state, torch.get_rng_state())
    own, other = found.profile, found.reference
    assert own is not None
    assert other is not None
    assert own.work.forward_flops == other.work.forward_flops == 2 * 16 * 8 * 4
    assert own.work.backward_flops == 2 * own.work.forward_flops
    assert own.step is not None
    assert (own.parameters, own.parameter_bytes) == (36, 144)
    assert own.forward.median > 0
    assert own.backward is not None
    assert own.forward.runs >= 100
    for ratio in (found.forward_ratio, found.backward_ratio, found.step_ratio):
        assert ratio is not None
        assert ratio.low <= ratio.value <= ratio.high
    products = next(o for o in own.forward_operators if o.name == "aten::mm")
    assert products.calls == 1
    assert products.memory == 16 * 4 * 4
    assert 0 < products.self_cpu <= products.total_cpu
    assert sum(o.calls for o in own.backward_operators if o.name == "aten::mm") == 2
    assert "aten::add" in [one.name for one in own.work.uncounted]
    assert own.memory is not None
    assert own.memory.forward_peak >= 16 * 4 * 4
    assert own.where is not None
    assert own.where.lines
    assert found.trace == trace.name
    names = {event.get("name") for event in json.loads(gzip.decompress(trace.read_bytes()))["traceEvents"]}
    assert {"reference_modules:CustomLinear forward", "reference_modules:CustomLinear backward", "aten::mm"} <= names
    assert [path.name for path in trace.parent.iterdir()] == [trace.name]


def test_what_has_no_gradient_has_no_backward() -> None:
    profile = measured("torch:bincount", input="long[N] in below 5").profile
    assert profile is not None
    assert profile.backward is None
    assert profile.work.backward_flops is None
    assert profile.backward_operators == []


def test_a_module_that_changes_its_input_in_place_is_measured_all_the_same() -> None:
    profile = measured("reference_modules.broken:InplaceInput", {"features": 5}, x="float[N, features]").profile
    assert profile is not None
    assert profile.backward is not None


def test_nested_outputs_and_complex_inputs() -> None:
    assert measured("torch.nn:GRU", {"input_size": 3, "hidden_size": 2}, input="float[L, N, 3]").profile is not None
    assert measured("torch:angle", input="complex[N]").profile is not None


def test_what_cannot_be_measured_says_why(module_file: Callable[[str], str]) -> None:
    source = """
class Bad(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 1
    @staticmethod
    def backward(ctx, grad):
        raise RuntimeError("no backward today")
"""
    found = measured(f"{module_file(source)}:Bad", x="float[N]")
    assert found.profile is None
    assert found.reason == "profiling failed: RuntimeError: no backward today"
    found = measured("torch:relu", None, "torch.nn:Linear(3, 4)", input="float[N, 5]")
    assert found.profile is not None
    assert found.reference is None
    assert found.reason == "the reference failed: RuntimeError: mat1 and mat2 shapes cannot be multiplied (3x5 and 3x4)"


def test_a_trace_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write the trace"):
        measured("torch:relu", None, None, tmp_path / "file" / "t.json.gz", input="float[N]")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
