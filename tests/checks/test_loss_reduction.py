from collections.abc import Callable

import pytest

from verifykit.testing import run_one

LOSS = """
class SomeLoss(nn.Module):
    def __init__(self, reduction="mean"):
        super().__init__()
        self.reduction = reduction
    def forward(self, prediction, target):
        loss = (prediction - target) ** 2
        return {{"none": {none}, "mean": {mean}, "sum": {sum}}}[self.reduction]
"""
PAIR = {"prediction": "float[N, 3]", "target": "float[N, 3]"}


def loss(none: str = "loss", mean: str = "loss.mean()", sum: str = "loss.sum()") -> str:
    return LOSS.format(none=none, mean=mean, sum=sum)


@pytest.mark.parametrize(
    ("source", "severity", "words"),
    [
        # bug: the sum is over the features alone
        (loss(sum="loss.sum(-1).mean()"), "error", "reduction='sum'"),
        # bug: the mean of means is divided once more
        (loss(mean="loss.mean() / 3"), "error", "at every draw"),
        # bug: the value is right, the gradient is not
        (loss(mean="loss.mean().detach() + 0 * loss.sum()"), "error", "another gradient"),
        (loss(none="loss.mean()"), "error", "one number"),
        (loss(sum="loss"), "error", "leaves shape"),
        # Other conventions, which may be meant.
        (loss(mean="loss.sum() / len(loss)"), "warning", "batch size"),
        (loss(mean="loss.mean().sqrt()"), "warning", "changes with the predictions"),
        (loss("loss.mean()", "loss.mean()", "loss.mean()"), "warning", "one number"),
    ],
)
def test_reductions_that_disagree(module_file: Callable[[str], str], source: str, severity: str, words: str) -> None:
    (finding,) = run_one("loss-reduction", f"{module_file(source)}:SomeLoss", inputs=PAIR).findings
    assert finding.severity == severity
    assert words in finding.message


def test_the_reduction_may_be_an_argument_of_forward(module_file: Callable[[str], str]) -> None:
    path = module_file("""
class SomeLoss(nn.Module):
    def forward(self, prediction, target, reduction="mean"):
        return F.l1_loss(prediction, target, reduction="mean" if reduction == "sum" else reduction)
def some_loss(prediction, target, reduction: str = "mean"):
    return F.l1_loss(prediction, target, reduction=reduction)
""")
    outcome = run_one("loss-reduction", f"{path}:SomeLoss", inputs=PAIR)
    assert [finding.severity for finding in outcome.findings] == ["error"]
    assert run_one("loss-reduction", f"{path}:some_loss", inputs=PAIR).status == "passed"


def test_a_misspelt_reduction(module_file: Callable[[str], str]) -> None:
    path = module_file("""
class Summed(nn.Module):
    def __init__(self, reduction="mean"):
        super().__init__()
        self.reduction = reduction
    def forward(self, prediction, target):
        loss = (prediction - target) ** 2
        return loss.mean() if self.reduction == "mean" else loss if self.reduction == "none" else loss.sum()
class Unreduced(Summed):
    def forward(self, prediction, target):
        loss = (prediction - target) ** 2
        return loss.mean() if self.reduction == "mean" else loss.sum() if self.reduction == "sum" else loss
""")
    (finding,) = run_one("loss-reduction", f"{path}:Summed", inputs=PAIR).findings
    assert (finding.severity, finding.evidence["acts as"]) == ("warning", "sum")
    # correct: what is not reduced cannot be differentiated, so the slip is noticed
    (finding,) = run_one("loss-reduction", f"{path}:Unreduced", inputs=PAIR).findings
    assert (finding.severity, finding.evidence["acts as"]) == ("note", "none")


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        # correct: 'mean' warns that it divides by all elements, 'batchmean' does not
        ("KLDivLoss", {"input": "float[N, 6]", "target": "float[N, 6] in simplex"}),
        ("CrossEntropyLoss", {"input": "float[N, 6]", "target": "long[N] in below 6"}),
        ("TripletMarginLoss", {"anchor": "float[N, 6]", "positive": "float[N, 6]", "negative": "float[N, 6]"}),
        ("L1Loss", {"input": "float[]", "target": "float[]"}),
    ],
)
def test_torchs_own(name: str, inputs: dict[str, str]) -> None:
    outcome = run_one("loss-reduction", f"torch.nn:{name}", inputs=inputs)
    assert (outcome.status, outcome.findings) == ("passed", [])


def test_a_weighted_mean(module_file: Callable[[str], str]) -> None:
    # correct: the mean is divided by the weights that were given
    path = module_file("""
class SomeLoss(nn.Module):
    def __init__(self, reduction="mean"):
        super().__init__()
        self.reduction = reduction
    def forward(self, prediction, target, weight):
        loss = F.mse_loss(prediction, target, reduction="none") * weight
        return {"none": loss, "mean": loss.sum() / weight.sum(), "sum": loss.sum()}[self.reduction]
""")
    inputs = {**PAIR, "weight": "float[N, 3] in (0, 2)"}
    assert run_one("loss-reduction", f"{path}:SomeLoss", inputs=inputs).status == "passed"


def test_other_arguments_of_that_name(module_file: Callable[[str], str]) -> None:
    # correct: a squeeze ratio
    path = module_file("""
class Squeeze(nn.Module):
    def __init__(self, channels, reduction=4):
        super().__init__()
        self.inner = nn.Linear(channels, channels // reduction)
    def forward(self, x):
        return self.inner(x)
""")
    init = {"channels": 8}
    assert run_one("loss-reduction", f"{path}:Squeeze", init=init, inputs={"x": "float[N, 8]"}).status == "skipped"
    assert run_one("loss-reduction", "torch.nn:ReLU", inputs={"input": "float[N]"}).status == "skipped"
