from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from verifykit.testing import run_one

BROKEN = Path("reference_modules/broken")

BUGS = {
    # bug: a hand-written backward counts the weight twice
    "doubled_weight_gradient:DoubledWeightGradient": ("weight", "def backward"),
    # bug: one row of the weight gradient comes from the wrong row of the output's
    "wrong_row:WrongRow": ("weight", "def backward"),
    # bug: the mean over the batch in place of the sum
    "mean_bias_gradient:MeanBiasGradient": ("bias", "def backward"),
}


@pytest.mark.parametrize(("target", "named"), BUGS.items(), ids=BUGS.keys())
def test_bugs(target: str, named: tuple[str, str]) -> None:
    outcome = run_one("gradient", f"reference_modules.broken.{target}")
    leaf, code = named
    (finding,) = outcome.findings
    assert finding.severity == "error"
    assert finding.evidence["leaf"] == leaf
    assert finding.location is not None
    lines = Path(finding.location.file).read_text().splitlines()
    around = "\n".join(lines[finding.location.line - 1 : finding.location.line + 1])
    assert code in around


def test_an_exception_is_quoted_with_its_line(module_file: Callable[[str], str]) -> None:
    # bug: a parameter is changed in place, which autograd forbids on a leaf
    source = """
class Clamped(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4))
    def forward(self, x):
        return x * self.scale.clamp_(0, 2)
"""
    (finding,) = run_one("gradient", f"{module_file(source)}:Clamped", inputs={"x": "float[N, 4]"}).findings
    assert "leaf Variable that requires grad is being used in an in-place operation" in finding.message
    assert finding.location is not None
    assert finding.location.line == 10


def test_an_input_changed_in_place_has_the_gradient_of_what_it_was() -> None:
    assert run_one("gradient", "reference_modules.broken:InplaceInput").status == "passed"


# correct: built-ins, reference modules, an integer input, a complex one, and no parameter at all
CORRECT: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("reference_modules:CustomLinear", {}, {}),
    ("reference_modules:CombinedLoss", {}, {}),
    ("torch.nn:LSTM", {"input_size": 3, "hidden_size": 2}, {"input": "float[L, N, 3]"}),
    ("torch.nn:Embedding", {"num_embeddings": 5, "embedding_dim": 2}, {"input": "long[N] in below 5"}),
    ("torch.nn:BatchNorm1d", {"num_features": 3}, {"input": "float[N, 3]"}),
    # correct: complex in, real out
    ("torch:abs", {}, {"input": "complex[N]"}),
]


@pytest.mark.parametrize(("target", "init", "inputs"), CORRECT, ids=[target for target, _, _ in CORRECT])
def test_correct_modules(target: str, init: dict[str, Any], inputs: dict[str, str]) -> None:
    outcome = run_one("gradient", target, init=init, inputs=inputs)
    assert outcome.status == "passed", outcome


def test_nothing_to_differentiate_is_skipped() -> None:
    outcome = run_one("gradient", "torch:bincount", inputs={"input": "long[N] in below 5"})
    assert outcome.status == "skipped"


def test_an_explicit_stop_is_a_warning_at_its_line(module_file: Callable[[str], str]) -> None:
    source = """
class StraightThrough(nn.Module):
    def forward(self, x):
        rounded = x.round()
        return (x + (rounded - x).detach()) ** 2
"""
    outcome = run_one("gradient", f"{module_file(source)}:StraightThrough", inputs={"x": "float[N, 4]"})
    (finding,) = outcome.findings
    assert finding.severity == "warning"
    assert "straight-through" in finding.message
    assert finding.location is not None
    assert finding.location.line == 8


def test_a_padding_row_has_no_gradient_by_design() -> None:
    # correct: torch documents it
    outcome = run_one(
        "gradient",
        "torch.nn:Embedding",
        init={"num_embeddings": 3, "embedding_dim": 2, "padding_idx": 0},
        inputs={"input": "long[N, L] in below 3"},
    )
    assert outcome.status == "passed"


def test_a_straight_through_estimate_is_a_warning(module_file: Callable[[str], str]) -> None:
    source = """
class Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.round()
    @staticmethod
    def backward(ctx, grad):
        return grad
"""
    outcome = run_one("gradient", f"{module_file(source)}:Round", inputs={"x": "float[N, 4]"})
    assert {finding.severity for finding in outcome.findings} == {"warning"}
