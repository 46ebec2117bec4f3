"""``verifykit compare`` as a user meets it: real processes, exit codes, what is printed where."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

SOURCE = """
class Gelu(nn.Module):
    def forward(self, x):
        return x * 0.5 * (1 + torch.erf(x / 2**0.5))
class QuickGelu(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)
class Turned(nn.Module):
    def __init__(self, width, out):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, out))
    def forward(self, x):
        return x @ self.weight
class Constant(nn.Module):
    def forward(self, x):
        return x * 0
class Silent(nn.Module):
    def forward(self, *given):
        (x,) = given
        return x.tanh()
class Broken(nn.Module):
    def forward(self, x):
        raise RuntimeError("not today")
"""


def test_an_equal_candidate(verifykit: Run, module_file: Callable[[str], str]) -> None:
    done = verifykit("compare", f"{module_file(SOURCE)}:Gelu", "torch.nn:GELU")
    assert done.returncode == 0, done.stderr
    assert "audited.py:Gelu equals torch.nn:GELU()" in done.stdout
    for dtype in ("float64", "float32", "bfloat16", "float16"):
        assert any(line.startswith(dtype) and "equal" in line for line in done.stdout.splitlines())
    assert "cost: forward" in done.stdout
    assert done.stderr == ""


def test_one_that_differs_is_shown_where(verifykit: Run, module_file: Callable[[str], str], tmp_path: Path) -> None:
    path = module_file(SOURCE)
    done = verifykit("compare", f"{path}:QuickGelu", "torch.nn:GELU", "--no-profile", "--format", "json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["schema"] == "verifykit.compare/1"
    assert found["verdict"] == "differs"
    (entry,) = found["precisions"]
    assert entry["dtype"] == "float64"
    assert set(entry["evidence"]["sizes"].values()) == {1}
    assert entry["evidence"]["actual"] != entry["evidence"]["reference"]
    done = verifykit(
        "compare", f"{path}:QuickGelu", "torch.nn:GELU", "--no-profile", "--format", "markdown", "--output", "out.md"
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "**differs**" in (tmp_path / "out.md").read_text()


def test_arguments_inputs_and_files(verifykit: Run, module_file: Callable[[str], str], tmp_path: Path) -> None:
    path = module_file(SOURCE)
    reference = "torch.nn:Linear(width, out, bias=False)"
    given = ("--init", "width=4", "--init", "out=3", "--input", "x: float[N, 4]", "--no-profile")
    done = verifykit("compare", f"{path}:Turned", reference, *given)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "transposed" in done.stdout
    (tmp_path / "reference.py").write_text(
        "import torch\nfrom torch import nn\nclass Gelu(nn.GELU):\n    pass\n"
        "class Silent(nn.Tanh):\n    __verifykit__ = {'inputs': {'input': 'float[N]'}}\n"
    )
    assert verifykit("compare", f"{path}:Gelu", "reference.py", "--no-profile").returncode == 0


def test_nothing_compared(verifykit: Run, module_file: Callable[[str], str]) -> None:
    done = verifykit("compare", f"{module_file(SOURCE)}:Constant", "torch:zeros_like")
    assert done.returncode == 3
    assert "could not be compared" in done.stdout
    assert "the same at every input" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("{file}:Gelu", "Missing argument 'REFERENCE'"),
        ("{file}:Gleu torch.nn:GELU", "has no attribute 'Gleu'. Did you mean 'Gelu'?"),
        ("{file}:Gelu torch.nn:GLEU", "has no attribute 'GLEU'"),
        ("{file}:Gelu nothing.py", "there is no file 'nothing.py'"),
        ("{file}:Gelu torch.nn:Linear(a,2)", "'a' is no constructor argument of the target"),
        ("{file}:Gelu torch.nn:Linear(4,", "is malformed"),
        ("{file}:Broken torch.nn:GELU --input x:float[N]", "RuntimeError: not today"),
        ("{file}:Gelu torch.nn:GELU --format html", "unknown format 'html': expected terminal, json or markdown"),
        ("{file}:Gelu torch.nn:GELU --output x.json", "needs --format json or --format markdown"),
        ("{file}:Gelu torch.nn:GELU --input x-float", "is malformed: expected 'NAME: DTYPE[DIM, ...]'"),
        ("{file}:Gelu torch.nn:GELU --sead 1", "Did you mean '--seed'?"),
    ],
)
def test_bad_input_gives_one_clear_line(
    verifykit: Run, module_file: Callable[[str], str], arguments: str, message: str
) -> None:
    file = Path(module_file(SOURCE)).name
    done = verifykit("compare", *arguments.format(file=file).split(), "--no-profile")
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
