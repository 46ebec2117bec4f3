"""``verifykit profile`` as a user meets it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

Run = Callable[..., subprocess.CompletedProcess[str]]

SLOW_COPY = """
import torch
from torch import nn

class Looped(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 4)

    def forward(self, x):
        return torch.stack([self.linear(row) for row in x])
"""

BUDGET = """
[tool.verifykit]
targets = ["layers.py:Looped"]

[tool.verifykit.target."layers.py:Looped"]
inputs = { x = "float[N, 6]" }
reference = "torch.nn:Linear(6, 4)"
max-slowdown = 1.5
"""


def test_a_layer_beside_the_built_in_that_it_equals(verifykit: Run, tmp_path: Path) -> None:
    formats = ("--format", "markdown", "--format", "json", "--output", f"{tmp_path}/")
    done = verifykit("profile", "reference_modules:CustomLinear", *formats)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    (audit,) = json.loads((tmp_path / "CustomLinear.json").read_text())["audits"]
    measured = audit["measurements"]
    assert measured["reference"]["name"].startswith("torch.nn:Linear(")
    assert measured["profile"]["sizes"] == {"N": 32}
    assert measured["profile"]["work"]["forward_flops"] == measured["reference"]["work"]["forward_flops"]
    (growth,) = measured["growth"]
    assert growth["symbol"] == "N"
    assert len(growth["points"]) >= 4
    assert measured["roofline"]["roof"]["flops"] > 0
    names = {path.name for path in tmp_path.iterdir()}
    assert {"CustomLinear.md", "CustomLinear.trace.json.gz"} <= names
    page = (tmp_path / "CustomLinear.md").read_text()
    for picture in (name for name in names if name.endswith(".svg")):
        assert picture in page
    assert sum(name.endswith(".svg") for name in names) == 2


def test_quick_says_what_it_costs(verifykit: Run) -> None:
    done = verifykit("profile", "torch.nn:Linear", "--quick", "--size", "N=16", "--init", "out_features=3")
    assert done.returncode == 0, done.stderr
    assert "forward" in done.stdout
    assert "N = 16" in done.stdout


def test_a_budget_that_is_broken_fails_the_run(verifykit: Run, tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text(SLOW_COPY)
    (tmp_path / "pyproject.toml").write_text(BUDGET)
    done = verifykit("profile", "--quick", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "performance-budget" in done.stdout
    assert "max-slowdown" in done.stdout


def test_a_run_is_kept_and_held_against_another(verifykit: Run, tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text(SLOW_COPY)
    kept = verifykit("profile", "layers.py:Looped", "--quick", "--save", "before", cwd=tmp_path)
    assert kept.returncode == 0, kept.stderr
    held = verifykit("profile", "layers.py:Looped", "--quick", "--compare", "before", cwd=tmp_path)
    assert held.returncode == 0, held.stderr
    assert "before" in held.stdout
    wrong = verifykit("profile", "layers.py:Looped", "--quick", "--compare", "befroe", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "Did you mean 'before'?" in wrong.stderr
    assert len(wrong.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--size", "N"], "expected NAME=SIZE"),
        (["--size", "N=0"], "expected NAME=SIZE"),
        (["--size", "M=8"], "unknown size 'M': the free sizes are N."),
        (["--save", "../out"], "../out"),
        (["--format", "picture"], "unknown format"),
        (["--reference", "torch.nn:Linaer"], "Linaer"),
        pytest.param(
            ["--device", "cuda"],
            "torch sees no CUDA device",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here"),
        ),
    ],
)
def test_wrong_use_is_told_in_one_line(verifykit: Run, arguments: list[str], said: str) -> None:
    done = verifykit("profile", "reference_modules:CustomLinear", "--quick", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu(verifykit: Run) -> None:
    done = verifykit("profile", "reference_modules:CustomLinear", "--device", "cuda", "--format", "json")
    assert done.returncode == 0, done.stderr
    (audit,) = json.loads(done.stdout)["audits"]
    assert audit["measurements"]["profile"]["memory"]["forward_peak"] > 0
