"""The command as a user meets it: real processes, exit codes, what is printed where."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
Run = Callable[..., subprocess.CompletedProcess[str]]

SOURCE = """
class Strict(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        if width % 2:
            raise ValueError(f"width must be even, not {width}")
        self.linear = nn.Linear(width, width)
    def forward(self, x):
        return self.linear(x)
class Unfeedable(nn.Module):
    def forward(self, x):
        raise RuntimeError("not today")
number = 3
"""


def test_the_main_job(verifykit: Run) -> None:
    done = verifykit("audit", "reference_modules:CustomLinear", "--reference", "torch.nn:Linear")
    assert done.returncode == 0, done.stderr
    assert "reference_modules:CustomLinear passed: " in done.stdout
    assert "cost: forward" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("twin", "rule", "line"),
    [
        ("DoubledWeightGradient", "gradient", "doubled_weight_gradient.py:17"),
        ("WrongRow", "gradient", "wrong_row.py:17"),
        ("MeanBiasGradient", "gradient", "mean_bias_gradient.py:16"),
        ("DetachedScale", "graph-cut", "detached.py:22"),
        ("InplaceInput", "purity", "inplace_input.py:21"),
        ("DropoutInEval", "determinism", "dropout_in_eval.py:23"),
        ("SqueezedBatch", "batch-size-one", "squeezed_batch.py:21"),
    ],
)
def test_broken_twins_are_caught_at_their_line(verifykit: Run, twin: str, rule: str, line: str) -> None:
    done = verifykit("audit", f"reference_modules.broken:{twin}", "--no-profile", "--format", "json")
    assert done.returncode == 1
    (audit,) = json.loads(done.stdout)["audits"]
    findings = [finding for check in audit["checks"] for finding in check["findings"]]
    findings = [finding for finding in findings if finding["severity"] == "error"]
    assert [finding["rule"] for finding in findings] == [rule]
    location = findings[0]["location"]
    assert f"{location['file']}:{location['line']}".endswith(line)


def test_a_page_is_written_with_the_trace_beside_it(verifykit: Run, tmp_path: Path) -> None:
    done = verifykit(
        "audit", "reference_modules:CustomModel", "--format", "markdown", "--format", "json", "--output", "out"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["CustomModel.json", "CustomModel.md", "CustomModel.trace.json.gz"]
    assert "verifykit audit reference_modules:CustomModel\n" in (tmp_path / "out" / "CustomModel.md").read_text()


def test_without_targets_those_of_the_project_are_audited(verifykit: Run, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.verifykit]\ntargets = ["torch.nn:Tanh", "torch.nn:Hardtanh"]\nignore = ["gradient"]\n'
        '[tool.verifykit.target."torch.nn:Tanh"]\ninputs = { input = "float[N]" }\n'
        '[tool.verifykit.target."torch.nn:Hardtanh"]\ninputs = { input = "float[N]" }\nreference = "torch.nn:Tanh"\n'
        'allow = { parity = "hard on purpose" }\n'
    )
    done = verifykit("audit", "--no-profile")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "torch.nn:Tanh passed" in done.stdout
    assert "allowed: hard on purpose" in " ".join(done.stdout.split())


def test_one_bad_target_does_not_end_the_run(verifykit: Run) -> None:
    done = verifykit("audit", "torch.nn:Nothing", "reference_modules:CustomModel", "--no-profile")
    assert done.returncode == 2
    assert "reference_modules:CustomModel passed" in done.stdout
    assert "no attribute 'Nothing'" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("nosuchmodule:Thing", "there is no module 'nosuchmodule'"),
        ("torch.nn:Linaer", "has no attribute 'Linaer'. Did you mean 'Linear'?"),
        ("{file}:number", "is a value of type int: expected an nn.Module"),
        ("{file}:Strict --init width", "--init 'width' is malformed: expected NAME=VALUE"),
        ("{file}:Strict --init width=a+b", "'a+b' is no Python literal"),
        ("{file}:Strict --input x-float", "--input 'x-float' is malformed: expected 'NAME: DTYPE[DIM, ...]'"),
        ("{file}:Strict --input x:flot[N]", "unknown dtype 'flot': expected one of float"),
        ("{file}:Strict --init width=3 --input x:float[N,3]", "audited.py:9: ValueError: width must be even, not 3"),
        ("{file}:Strict --init widht=3 --input x:float[N,3]", "no argument 'widht': it takes width. Did you mean"),
        ("{file}:Strict --input x:float[N,5]", "rejects its inputs (x: (3, 5)) at audited.py:12: RuntimeError: mat1"),
        ("{file}:Strict --input y:float[N,4]", "no forward argument 'y': it takes x"),
        ("{file}:Unfeedable", "no inputs found that it accepts"),
        ("{file}:Strict --input x:float[N,4] --select gradeint", "no check or family 'gradeint'. Did you mean"),
        ("{file}:Strict --input x:float[N,4] --format markdwn", "unknown format 'markdwn'"),
        ("{file}:Strict --format json --output {file}/x/y.json", "cannot write"),
        ("{file}:Strict --output report.md", "needs a format that is written to a file"),
        ("{file}:Strict --input x:float[N,4] --reference torch.nn:Linera", "Did you mean 'Linear'?"),
        ("{file}:Strict --frmat json", "Did you mean '--format'?"),
        ("", "nothing to audit: give a TARGET"),
    ],
)
def test_bad_input_gives_one_clear_line(
    verifykit: Run, module_file: Callable[[str], str], tmp_path: Path, arguments: str, message: str
) -> None:
    file = Path(module_file(SOURCE)).name
    done = verifykit("audit", *arguments.format(file=file).split(), "--no-profile")
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "__pycache__") == ["audited.py"]


def test_an_unknown_configuration_key(verifykit: Run, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.verifykit]\nselct = []\n")
    done = verifykit("audit", "torch.nn:ReLU")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "verifykit: pyproject.toml [tool.verifykit]: unknown key 'selct': expected one of targets, select, ignore, "
        "fail-on, load, target. Did you mean 'select'?\n"
    )


def test_durations_show_where_the_time_went(verifykit: Run) -> None:
    done = verifykit("audit", "torch.nn:ReLU", "--select", "determinism,shape-contract", "--durations")
    assert done.returncode == 0
    table = done.stdout.partition("Durations")[2]
    for part in ("building and feeding it", "determinism", "shape-contract", "profile", "all"):
        assert part in table


def test_debug_shows_the_traceback(verifykit: Run) -> None:
    done = verifykit("--debug", "audit", "torch.nn:Linaer")
    assert done.returncode != 0
    assert "Traceback" in done.stderr or "Linaer" in done.stderr


def test_cuda_is_refused_where_there_is_none(verifykit: Run) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    done = verifykit("audit", "torch.nn:ReLU", "--device", "cuda")
    assert done.returncode == 2
    assert done.stderr == "verifykit: --device cuda: torch sees no CUDA device on this machine. Use --device cpu.\n"
