from collections.abc import Callable

import pytest

from verifykit.testing import run_one

LOSS = """
class SomeLoss(nn.Module):
    def forward(self, prediction, target):
        {body}
"""
SQUARE = "return ((prediction - target) ** 2).mean()"
PAIR = {"prediction": "float[N, D]", "target": "float[N, D]"}


def test_the_worked_examples_broadcast() -> None:
    for name in ("CustomLoss", "CombinedLoss"):
        (finding,) = run_one("loss-broadcast", f"reference_modules:{name}").findings
        assert finding.severity == "error"
        assert finding.evidence["broadcast to"] == [3, 3]
        assert finding.evidence["loss"] != pytest.approx(finding.evidence["loss for matching shapes"])
        assert finding.location is not None
        assert finding.location.file == "reference_modules/losses.py"


@pytest.mark.parametrize(
    ("inputs", "severity"),
    [
        (PAIR, "error"),
        # A head of three outputs, or a batch of numbers, meets (N, 1) by mistake only.
        ({"prediction": "float[N, 3]", "target": "float[N, 3]"}, "warning"),
        ({"prediction": "float[N]", "target": "float[N]"}, "warning"),
        # bug: the spec itself has every prediction meet every target
        ({"prediction": "float[N, 1]", "target": "float[N]"}, "error"),
        ({"prediction": "float[N]", "target": "float[N, 1]"}, "warning"),
    ],
)
def test_severity_follows_the_spec(module_file: Callable[[str], str], inputs: dict[str, str], severity: str) -> None:
    path = module_file(LOSS.format(body=SQUARE))
    (finding,) = run_one("loss-broadcast", f"{path}:SomeLoss", inputs=inputs).findings
    assert finding.severity == severity


def test_a_guessed_spec_gives_no_error(module_file: Callable[[str], str]) -> None:
    (finding,) = run_one("loss-broadcast", f"{module_file(LOSS.format(body=SQUARE))}:SomeLoss").findings
    assert finding.severity == "warning"


def test_torchs_own_silent_losses_are_warnings() -> None:
    inputs = {"log_input": "float[N, D]", "target": "float[N, D] in [0, 9]"}
    (finding,) = run_one("loss-broadcast", "torch.nn:PoissonNLLLoss", inputs=inputs).findings
    assert finding.severity == "warning"


def test_an_unreduced_loss_that_grows(module_file: Callable[[str], str]) -> None:
    path = module_file(LOSS.format(body="return (prediction - target).abs()"))
    (finding,) = run_one("loss-broadcast", f"{path}:SomeLoss", inputs=PAIR).findings
    assert (finding.evidence["loss"], finding.evidence["loss for matching shapes"]) == ([3, 3], [3, 1])


CORRECT = [
    # correct: torch warns
    "return F.mse_loss(prediction, target)",
    # correct: flattened first
    "return ((prediction.flatten() - target.flatten()) ** 2).mean()",
    # correct: it warns of itself
    """import warnings
        if prediction.shape != target.shape:
            warnings.warn("shapes differ")
        return ((prediction - target) ** 2).mean()""",
    "assert prediction.shape == target.shape; return (prediction - target).abs().sum()",
]


@pytest.mark.parametrize("body", CORRECT)
def test_correct_losses(module_file: Callable[[str], str], body: str) -> None:
    path = module_file(LOSS.format(body=body))
    assert run_one("loss-broadcast", f"{path}:SomeLoss", inputs=PAIR).status == "passed"


@pytest.mark.parametrize(
    ("target", "inputs"),
    [
        # correct: class indices, and one target for each pair of embeddings
        ("CrossEntropyLoss", {"input": "float[N, 6]", "target": "long[N] in below 6"}),
        (
            "CosineEmbeddingLoss",
            {"input1": "float[N, 6]", "input2": "float[N, 6]", "target": "float[N] in {-1, 1}"},
        ),
        ("ReLU", {"input": "float[N, 6]"}),
    ],
)
def test_not_concerned(target: str, inputs: dict[str, str]) -> None:
    assert run_one("loss-broadcast", f"torch.nn:{target}", inputs=inputs).status == "skipped"


def test_boxes_need_all_their_numbers(module_file: Callable[[str], str]) -> None:
    # correct: one coordinate of a box means nothing, so (N, 1) is not fed
    path = module_file(LOSS.format(body="return (prediction[:, 2:] * prediction[:, :2] - target[:, :2]).abs().mean()"))
    inputs = {"prediction": "float[N, 4]", "target": "float[N, 4]"}
    assert run_one("loss-broadcast", f"{path}:SomeLoss", inputs=inputs).status == "skipped"
