import subprocess
import sys
from pathlib import Path

import pytest

from verifykit.config import TargetConfig
from verifykit.reproduction import script
from verifykit.testing import audit_target


def run(text: str, where: Path) -> subprocess.CompletedProcess[str]:
    (where / "again.py").write_text(text)
    return subprocess.run([sys.executable, "again.py"], cwd=where, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("target", "check"),
    [
        ("reference_modules.broken.wrong_row:WrongRow", "gradient"),
        ("reference_modules.broken.detached:DetachedScale", "graph-cut"),
        ("reference_modules.broken.dropout_in_eval:DropoutInEval", "determinism"),
    ],
)
def test_a_script_fails_in_the_same_way_on_its_own(target: str, check: str, tmp_path: Path) -> None:
    finding = audit_target(target, TargetConfig(), select=[check]).findings[0]
    assert finding.command.startswith(f"verifykit audit {target}")
    assert "reference_modules" not in finding.reproduce.partition("\n")[2]
    again = run(finding.reproduce, tmp_path)
    assert again.returncode == 1, again.stderr
    assert finding.message in again.stdout


SOURCE = """\
from __future__ import annotations
import os, math
from torch import nn
import torch
if os.name == "nt":
    SCALE = 2.0
else:
    SCALE = math.pi
UNUSED = open("nowhere")

def helper(x):
    return x * SCALE

class Unused(nn.Module): ...

class Base(nn.Module):
    def forward(self, x):
        return helper(x)

@torch.jit.ignore
class Layer(Base):
    __verifykit__ = {"inputs": {"x": "float[N]"}}
"""


def test_only_what_the_target_needs_is_taken_along(tmp_path: Path) -> None:
    path = tmp_path / "layer.py"
    path.write_text(SOURCE)
    text = script("command", "gradient", f"{path}:Layer", TargetConfig(), 3)
    assert text.startswith("# command\n")
    for kept in ("from __future__", "SCALE = 2.0", "def helper", "class Base", "@torch.jit.ignore", "seed=3"):
        assert kept in text
    assert "unused" not in text.lower()


@pytest.mark.parametrize("line", ["import numpy", "from . import other", "from torch import *", "from own import x"])
def test_what_needs_more_than_torch_has_the_command_only(line: str, tmp_path: Path) -> None:
    path = tmp_path / "layer.py"
    path.write_text(f"{line}\nclass Layer(nn.Module): uses = [numpy, other, x]\n")
    assert script("command", "gradient", f"{path}:Layer", TargetConfig(), 0) == "command"


def test_arguments_that_cannot_be_written_down_have_the_command_only() -> None:
    given = TargetConfig(init={"activation": object()})
    assert script("command", "gradient", "torch.nn:ReLU", given, 0) == "command"
    assert script("command", "gradient", "torch.nn:ReLU", TargetConfig(reference="own.layers:Ref"), 0) == "command"


def test_a_builtin_needs_no_source(tmp_path: Path) -> None:
    text = script("command", "determinism", "torch.nn:ReLU", TargetConfig(inputs={"input": "float[N]"}), 0)
    again = run(text, tmp_path)
    assert again.returncode == 0, again.stderr
