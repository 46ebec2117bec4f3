"""What the check says of the reference modules, of near misses, and of what is no known operation."""

from pathlib import Path
from typing import Any

import pytest

from verifykit.results import CheckOutcome
from verifykit.results.identity import Identity
from verifykit.testing import run_one

HEAD = "import math\nimport torch\nfrom torch import nn\n\n"


def outcome(tmp_path: Path, body: str, init: str = "pass") -> CheckOutcome:
    source = f"class Layer(nn.Module):\n    def __init__(self):\n        super().__init__()\n        {init}\n\n"
    (tmp_path / "layer.py").write_text(f"{HEAD}{source}    def forward(self, x):\n        return {body}\n")
    return run_one("identity", f"{tmp_path}/layer.py:Layer", inputs={"x": "float[N, 6]"})


def identity(target: str, **init: Any) -> Identity:
    found = run_one("identity", f"reference_modules:{target}", init=init)
    assert found.status == "passed"
    assert found.identity is not None
    return found.identity


def test_the_linear_layer_is_torchs_up_to_its_initialisation() -> None:
    # correct: another initialisation leaves it the same function
    likeness = identity("CustomLinear").likeness
    assert likeness is not None
    assert (likeness.relation, likeness.name) == ("identical up to", "torch.nn.Linear(6, 4)")
    (start,) = likeness.up_to
    assert "N(0, 1) where Linear has U(" in start
    assert "about sqrt(3·fan_in) = 4." in start


@pytest.mark.parametrize("threshold", [0.5, -1.25, 2.0])
def test_the_threshold_is_torchs(threshold: float) -> None:
    # correct: a jump at any place
    found = identity("ThresholdReLU", threshold=threshold)
    assert found.likeness is not None
    assert (found.likeness.relation, found.likeness.name) == ("identical", f"torch.nn.Threshold({threshold}, 0.0)")
    assert found.curve is not None
    (jump,) = found.curve.breaks
    assert (jump.kind, jump.at) == ("jump", pytest.approx(threshold))
    assert abs(jump.size) == pytest.approx(abs(threshold))


def test_a_threshold_of_zero_is_the_rectifier() -> None:
    found = identity("ThresholdReLU")
    assert found.likeness is not None
    assert (found.likeness.relation, found.likeness.name) == ("identical", "torch.nn.ReLU()")
    assert found.curve is not None
    assert [(b.kind, b.at, b.size) for b in found.curve.breaks] == [("kink", 0.0, pytest.approx(1.0))]


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("CustomLoss", "1·MSELoss(p, t) + 0.1·mean(p²)"),
        ("CombinedLoss", "1·L1Loss(p, t) + 1·mean(1 − cosine_similarity(p, t, dim=0))"),  # noqa: RUF001
    ],
)
def test_the_losses_are_taken_apart(target: str, text: str) -> None:
    made = identity(target).decomposition
    assert made is not None
    assert made.text == text
    assert made.unexplained == 0.0
    assert all(term.exact for term in made.terms)


@pytest.mark.parametrize(
    ("body", "init", "says"),
    [
        # bug: the variance is divided by n - 1
        (
            "(x - x.mean(-1, keepdim=True)) / torch.sqrt(x.var(-1, keepdim=True) + 1e-5) * self.weight + self.bias",
            "self.weight = nn.Parameter(torch.ones(6)); self.bias = nn.Parameter(torch.zeros(6))",
            "unbiased",
        ),
        # bug: a sigmoid stands for the error function
        ("x * torch.sigmoid(1.702 * x)", "pass", "1.702"),
    ],
)
def test_a_near_miss_is_not_claimed_to_be_equal(tmp_path: Path, body: str, init: str, says: str) -> None:
    found = outcome(tmp_path, body, init)
    assert found.identity is not None
    likeness = found.identity.likeness
    assert likeness is not None
    assert says in " ".join([likeness.name, *likeness.deviations])
    assert likeness.relation == "close" or says in likeness.name


def test_what_is_no_known_operation_is_skipped(tmp_path: Path) -> None:
    found = outcome(tmp_path, "x @ self.w * torch.sin(x.sum(-1, keepdim=True))", "self.w = nn.Parameter(torch.eye(6))")
    assert found.status == "skipped"
    assert found.reason == "it is no operation that is known, nor near one"
