import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.profiling.loads import load
from verifykit.errors import OutputError
from verifykit.profiling.trace import write_trace


def read(path: Path) -> tuple[int, dict[str, Any]]:
    text = gzip.decompress(path.read_bytes())
    return len(text), json.loads(text)


def names(trace: dict[str, Any]) -> set[str]:
    return {event["name"] for event in trace["traceEvents"] if event["ph"] == "X"}


def encoder() -> nn.Module:
    return nn.Sequential(nn.TransformerEncoderLayer(16, 2, 32), nn.Linear(16, 4))


def test_a_step_with_its_modules_as_ranges(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "layer.trace.json.gz"
    module = encoder()
    write_trace(load(module, torch.randn(5, 3, 16), name='layer("a\\b")'), path)
    _, trace = read(path)
    assert {
        'layer("a\\b") forward',
        'layer("a\\b") backward',
        "0.self_attn (MultiheadAttention)",
        "1 (Linear)",
    } <= names(trace)
    assert {"aten::addmm", "AddmmBackward0"} <= names(trace)
    assert "host_name" not in trace
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.read_bytes()[4:8] == bytes(4)  # no time of writing


def test_ranges_hold_what_they_stand_for(tmp_path: Path) -> None:
    path = tmp_path / "t.json.gz"
    write_trace(load(encoder(), torch.randn(5, 3, 16)), path)
    events = [event for event in read(path)[1]["traceEvents"] if event["ph"] == "X"]
    (outer,) = (event for event in events if event["name"] == "Layer forward")
    (inner,) = (event for event in events if event["name"] == "1 (Linear)")
    assert outer["ts"] <= inner["ts"] <= inner["ts"] + inner["dur"] <= outer["ts"] + outer["dur"]


def test_a_large_trace_is_cut_to_its_longest_events(tmp_path: Path) -> None:
    profiled = load(encoder(), torch.randn(5, 3, 16))
    write_trace(profiled, tmp_path / "whole.gz")
    write_trace(profiled, tmp_path / "cut.gz", limit=50_000)
    size, whole = read(tmp_path / "whole.gz")
    assert size > 50_000
    assert "otherData" not in whole
    size, cut = read(tmp_path / "cut.gz")
    assert 25_000 < size <= 50_000
    assert "cut from" in cut["otherData"]["verifykit"]
    kept = [event["dur"] for event in cut["traceEvents"] if event.get("cat") == "cpu_op"]
    assert len(kept) < len([event for event in whole["traceEvents"] if event.get("cat") == "cpu_op"])
    assert {"Layer forward", "Layer backward", "0.norm1 (LayerNorm)"} <= names(cut)
    assert {event["name"] for event in whole["traceEvents"] if event["ph"] == "M"} == {
        event["name"] for event in cut["traceEvents"] if event["ph"] == "M"
    }


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write the trace to"):
        write_trace(load(nn.Linear(5, 3), torch.randn(10, 5)), tmp_path / "file" / "t.json.gz")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_has_no_gradient_has_a_trace_all_the_same(tmp_path: Path) -> None:
    class Counts(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.bincount(x)

    write_trace(load(Counts(), torch.tensor([1, 2])), tmp_path / "t.json.gz")
    assert "aten::bincount" in names(read(tmp_path / "t.json.gz")[1])
