from collections.abc import Callable

import pytest

from verifykit.testing import run_one

LOSS = """
class SomeLoss(nn.Module):
    def forward(self, prediction, target):
        error = (prediction - target) ** 2
        return {body}
"""
PAIR = {"prediction": "float[N, 3]", "target": "float[N, 3]"}


@pytest.mark.parametrize(
    ("body", "severity", "words"),
    [
        # bug: a mean and a sum
        ("error.mean() + 0.1 * prediction.abs().sum()", "warning", "a part that stays"),
        # bug: the root of a sum
        ("error.sum().sqrt()", "warning", "root of the batch size"),
        ("error.mean() / len(error)", "warning", "divided by it once more"),
        ("torch.cdist(prediction, target).sum()", "warning", "square of the batch size"),
        ("error.sum() / (len(error) - 1)", "warning", "neither as a mean nor as a sum"),
        # correct: an estimate of spread, and negatives from the batch, are of the batch as a whole
        ("error.mean() + prediction.var(0).mean()", "note", "as losses between samples do"),
        ("F.cross_entropy(prediction @ target.T, torch.arange(len(target)))", "note", "as losses between samples do"),
    ],
)
def test_laws(module_file: Callable[[str], str], body: str, severity: str, words: str) -> None:
    path = module_file(LOSS.format(body=body))
    (finding,) = run_one("loss-batch-scale", f"{path}:SomeLoss", inputs=PAIR).findings
    assert finding.severity == severity
    assert words in finding.message


@pytest.mark.parametrize(
    "body",
    [
        # correct: means, sums, and what is of the batch as a whole and does not follow its size
        "error.mean()",
        "error.sum()",
        "error.mean().sqrt()",
        "1 - F.cosine_similarity(prediction, target, dim=0).mean()",
        "(prediction.mean(0) - target.mean(0)).norm()",
        "1000 + 1e-6 * error.mean()",
    ],
)
def test_correct_losses(module_file: Callable[[str], str], body: str) -> None:
    path = module_file(LOSS.format(body=body))
    outcome = run_one("loss-batch-scale", f"{path}:SomeLoss", inputs=PAIR)
    assert (outcome.status, outcome.findings) == ("passed", [])


def test_a_mean_by_name_that_is_a_sum(module_file: Callable[[str], str]) -> None:
    path = module_file("""
class SomeLoss(nn.Module):
    def __init__(self, reduction="mean"):
        super().__init__()
    def forward(self, prediction, target):
        return (prediction - target).abs().sum() / 32
""")
    (finding,) = run_one("loss-batch-scale", f"{path}:SomeLoss", inputs=PAIR).findings
    assert "reduction='mean'" in finding.message
    outcome = run_one("loss-batch-scale", f"{path}:SomeLoss", init={"reduction": "sum"}, inputs=PAIR)
    assert outcome.status == "passed"


def test_a_loss_without_target(module_file: Callable[[str], str]) -> None:
    path = module_file("def total_variation_loss(image): return image.diff().abs().mean() + image[..., 0].abs().sum()")
    (finding,) = run_one(
        "loss-batch-scale", f"{path}:total_variation_loss", inputs={"image": "float[N, H, 5]"}
    ).findings
    assert "a part that stays" in finding.message


def test_not_concerned() -> None:
    inputs = {"input": "float[N, 6]", "target": "float[N, 6]"}
    unreduced = run_one("loss-batch-scale", "torch.nn:MSELoss", init={"reduction": "none"}, inputs=inputs)
    assert unreduced.status == "skipped"
    fixed = {"input": "float[4, 6]", "target": "float[4, 6]"}
    assert run_one("loss-batch-scale", "torch.nn:MSELoss", inputs=fixed).status == "skipped"
    assert (
        run_one("loss-batch-scale", "torch.nn:Linear", init={"in_features": 2, "out_features": 1}).status == "skipped"
    )
