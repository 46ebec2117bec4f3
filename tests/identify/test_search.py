"""What is said of modules that are, nearly are, or are not a known operation."""

from pathlib import Path

import pytest
import torch

from verifykit.identify.identity import identity_of
from verifykit.identify.screening import related
from verifykit.results.identity import Identity
from verifykit.runner import Plan, prepare

HEAD = """
import torch
import torch.nn.functional as F
from torch import nn
"""


def identity(tmp_path: Path, source: str) -> Identity:
    (tmp_path / "layer.py").write_text(HEAD + source)
    subject, _ = prepare(f"{tmp_path}/layer.py:Layer", Plan([]))
    return identity_of(subject)


def module(body: str, init: str = "pass", arguments: str = "x", parameters: str = "") -> str:
    return f"""
class Layer(nn.Module):
    def __init__(self{parameters}):
        super().__init__()
        {init}
    def forward(self, {arguments}):
        return {body}
"""


def test_a_factor_that_somebody_wrote_is_a_relation(tmp_path: Path) -> None:
    likeness = identity(tmp_path, module("3 * torch.sin(x)")).likeness
    assert likeness is not None
    assert likeness.relation == "identical up to"
    assert likeness.up_to == ["a factor of 3"]
    assert "sin" in likeness.name


def test_an_affine_map_is_a_relation(tmp_path: Path) -> None:
    likeness = identity(tmp_path, module("0.5 * torch.atan(x) + 0.25")).likeness
    assert likeness is not None
    assert likeness.relation == "identical up to"
    assert likeness.up_to == ["an affine map: 0.5 times it plus 0.25"]


def test_a_factor_that_comes_from_the_sizes_is_none(tmp_path: Path) -> None:
    likeness = identity(tmp_path, module("x.mean(-1) * x.shape[-1] ** 0.5")).likeness
    assert likeness is None or likeness.relation == "close"


def test_what_only_agrees_at_the_first_look_is_close_and_the_counterexample_told(tmp_path: Path) -> None:
    likeness = identity(tmp_path, module("torch.where(x > 90, x + 1e-3, torch.sinh(x).asinh())")).likeness
    assert likeness is not None
    assert likeness.relation == "close"
    assert likeness.deviations


@pytest.mark.parametrize(
    "source",
    [
        module("x + torch.tanh(x @ self.w) * 0.3", "self.w = nn.Parameter(torch.randn(6, 6))"),
        module("torch.sin(x) * torch.cos(2 * x + 1)"),
        module("torch.zeros_like(x)"),
        module("x * torch.rand_like(x)"),
    ],
)
def test_other_modules_are_equal_to_nothing(tmp_path: Path, source: str) -> None:
    likeness = identity(tmp_path, source).likeness
    assert likeness is None or likeness.relation == "close"


def test_training_and_eval_are_told_apart(tmp_path: Path) -> None:
    likeness = identity(tmp_path, module("torch.tanh(x) if self.training else F.hardtanh(x)")).likeness
    assert likeness is None or likeness.relation == "close"


def test_one_relation_is_found_among_numbers() -> None:
    theirs = torch.arange(10.0, dtype=torch.float64).sin()
    assert related([(theirs, theirs)])[:2] == (1.0, 0.0)
    scale, offset, residual = related([(2.5 * theirs - 3.0, theirs)])
    assert (scale, offset) == pytest.approx((2.5, -3.0))
    assert residual < 1e-12
    assert related([(theirs.square(), theirs)])[2] > 0.1


def test_what_is_not_finite_must_be_so_in_both() -> None:
    theirs = torch.tensor([1.0, float("nan"), 3.0, float("inf")], dtype=torch.float64)
    assert related([(theirs, theirs)])[2] == 0.0
    assert related([(theirs.nan_to_num(0.0), theirs)])[2] == float("inf")
