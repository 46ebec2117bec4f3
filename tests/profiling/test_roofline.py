"""The limits of the machine, their memory, and modules under them."""

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import torch

from verifykit.files import write_whole
from verifykit.profiling import machine
from verifykit.profiling.roofline import roof, roofline
from verifykit.results.growth import Roof, Roofline
from verifykit.spec.model import Spec, parse_input
from verifykit.spec.reference import resolve_reference
from verifykit.spec.subject import Subject
from verifykit.spec.threads import threads_for
from verifykit.targets import resolve

TODAY = date.today()
KNOWN = Roof("float32", "cpu", 1, 1e11, 2e10, TODAY.isoformat())


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with threads_for(0):
        yield tmp_path / "cache" / "verifykit" / "machine.json"


def found(
    target: str, sizes: dict[str, int], init: dict[str, Any] | None = None, reference: str | None = None, **inputs: str
) -> Roofline:
    spec = Spec(init or {}, tuple(parse_input(name, text) for name, text in inputs.items()))
    other = resolve_reference(reference, spec.init) if reference else None
    return roofline(Subject(resolve(target), spec, reference=other), other, sizes, seconds=0.4)


def test_the_fingerprint_says_what_times_depend_on() -> None:
    found = machine.fingerprint()
    assert {"cpu", "cores", "architecture", "memory", "torch", "threads"} <= found.keys()
    assert found["threads"] == "1"
    assert found["torch"] == torch.__version__
    assert all(found.values())


def test_a_roof_is_measured_once(cache: Path) -> None:
    first = roof(torch.float32, "cpu")
    assert (first.dtype, first.device, first.threads, first.measured) == ("float32", "cpu", 1, TODAY.isoformat())
    # Between a slow core of one operation in ten cycles and more than any CPU has.
    assert 1e8 < first.flops < 1e14
    assert 1e8 < first.bandwidth < 1e13
    written = cache.read_bytes()
    assert roof(torch.float32, "cpu") == first
    assert cache.read_bytes() == written
    assert [path.name for path in cache.parent.iterdir()] == ["machine.json"]


def test_a_product_below_the_ridge_is_limited_by_memory() -> None:
    assert KNOWN.limit(flops=1e11, bytes=1) == 1
    assert KNOWN.limit(flops=1, bytes=4e10) == 2


def test_what_is_remembered_is_of_this_dtype_device_and_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.recall("float32", "cpu") is None
    machine.remember(KNOWN)
    assert machine.recall("float32", "cpu") == KNOWN
    assert machine.recall("float64", "cpu") is None
    assert machine.recall("float32", "cuda") is None
    other = Roof("float64", "cpu", 1, 5e10, 2e10, TODAY.isoformat())
    machine.remember(other)
    assert machine.recall("float32", "cpu") == KNOWN
    assert machine.recall("float64", "cpu") == other
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    try:
        assert machine.recall("float32", "cpu") is None
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("days", [-1, 8, 4000])
def test_an_old_roof_is_none_and_neither_is_one_of_the_future(days: int) -> None:
    machine.remember(Roof("float32", "cpu", 1, 1e11, 2e10, (TODAY - timedelta(days)).isoformat()))
    assert machine.recall("float32", "cpu") is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: text.replace("verifykit.machine/1", "verifykit.machine/9"),
        lambda text: text.replace("100000000000.0", '"fast"'),
        lambda text: text.replace("100000000000.0", "0.0"),
        lambda text: text.replace("100000000000.0", "-1.0"),
        lambda text: text.replace(TODAY.isoformat(), "some day"),
        lambda text: json.dumps([text]),
    ],
)
def test_a_damaged_file_is_as_none(cache: Path, damage: Callable[[str], str]) -> None:
    machine.remember(KNOWN)
    text = cache.read_text()
    assert damage(text) != text
    cache.write_text(damage(text))
    assert machine.recall("float32", "cpu") is None
    machine.remember(KNOWN)
    assert machine.recall("float32", "cpu") == KNOWN


def test_a_folder_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    machine.remember(KNOWN)
    assert machine.recall("float32", "cpu") is None


def test_what_cannot_be_written_whole_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="folder"):
        write_whole(tmp_path / "folder", b"1")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_layer_and_its_reference_under_the_roof() -> None:
    machine.remember(KNOWN)
    init = {"input_dim": 64, "output_dim": 32}
    under = found("reference_modules:CustomLinear", {"N": 8}, init, "torch.nn:Linear", x="float[N, 64]")
    assert [point.sizes["N"] for point in under.points] == [8, 64, 512, 4096, 32768][: len(under.points)]
    assert 1 <= len(under.reference_points) == len(under.points)
    for point in [*under.points, *under.reference_points]:
        n = point.sizes["N"]
        assert point.flops == 2 * n * 64 * 32
        assert point.least_bytes == 4 * (n * 64 + n * 32 + 64 * 32 + 32)
        assert point.intensity == point.flops / point.least_bytes
        assert point.reached == pytest.approx(under.roof.limit(point.flops, point.least_bytes) / point.seconds)
    assert under.points[0].name == "reference_modules:CustomLinear"


def test_a_roof_that_is_exceeded_is_measured_again() -> None:
    slow = Roof("float32", "cpu", 1, 1e3, 2e10, TODAY.isoformat())
    machine.remember(slow)
    under = found("torch.nn:Linear", {"N": 64}, {"in_features": 64, "out_features": 64}, input="float[N, 64]")
    assert under.roof.flops > 1e6
    assert under.roof.bandwidth >= slow.bandwidth
    assert machine.recall("float32", "cpu") == under.roof


def test_without_a_free_size_there_is_one_point() -> None:
    machine.remember(KNOWN)
    (point,) = found("torch.nn:ReLU", {}, input="float[3, 4]").points
    assert (point.sizes, point.flops, point.least_bytes) == ({}, 0, 96)


def test_sizes_that_are_refused_are_left_out(module_file: Callable[[str], str]) -> None:
    machine.remember(KNOWN)
    source = """
class Few(nn.Module):
    def forward(self, x):
        if len(x) > 100:
            raise ValueError("too many")
        return x.relu()
"""
    under = found(f"{module_file(source)}:Few", {"N": 4}, None, "torch.nn:ReLU", x="float[N, 3]")
    assert [point.sizes["N"] for point in under.points] == [4, 32]
    assert [point.sizes["N"] for point in under.reference_points] == [4, 32]
    none = found("torch.nn:Linear", {"N": 4}, {"in_features": 3, "out_features": 3}, input="float[N, 4]")
    assert none.points == []


def test_a_reference_that_does_not_fit_costs_nothing() -> None:
    machine.remember(KNOWN)
    under = found("torch.nn:ReLU", {"N": 4}, None, "torch.nn:Linear(5, 5)", input="float[N, 3]")
    assert under.points
    assert under.reference_points == []


def test_large_inputs_are_not_made_larger() -> None:
    machine.remember(KNOWN)
    assert len(found("torch.nn:ReLU", {"N": 5_000_000}, input="float[N]").points) == 1


@pytest.mark.slow
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_roof_of_the_gpu() -> None:
    found = roof(torch.float32, "cuda")
    assert found.flops > 1e11
    assert found.bandwidth > 1e10
