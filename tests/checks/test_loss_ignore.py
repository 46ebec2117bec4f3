from collections.abc import Callable

import pytest

from verifykit.testing import run_one

MASKED = """
class SomeLoss(nn.Module):
    def forward(self, prediction, target, {mask}):
        error = (prediction - target) ** 2
        return {body}
"""
SERIES = {"prediction": "float[N, L]", "target": "float[N, L]"}


@pytest.mark.parametrize(
    ("mask", "body", "severity", "words"),
    [
        # bug: the mask is taken and never used
        ("mask", "error.mean()", "error", "still counts"),
        # bug: padding is what counts
        ("padding_mask", "(error * padding_mask).sum() / padding_mask.sum()", "warning", "wrong way round"),
        ("mask", "(error * mask).mean()", "warning", "mean is over all"),
        ("mask", "(error * mask).sum() / mask.sum()", "note", "guard the division"),
    ],
)
def test_masks(module_file: Callable[[str], str], mask: str, body: str, severity: str, words: str) -> None:
    path = module_file(MASKED.format(mask=mask, body=body))
    (finding,) = run_one("loss-ignore", f"{path}:SomeLoss", inputs={**SERIES, mask: "bool[N, L]"}).findings
    assert finding.severity == severity
    assert words in finding.message


@pytest.mark.parametrize(
    ("mask", "body"),
    [
        # correct: either way round
        ("mask", "(error * mask).sum() / mask.sum().clamp(min=1)"),
        ("mask", "(error * ~mask).sum() / (~mask).sum().clamp(min=1)"),
        ("padding_mask", "error.masked_fill(padding_mask, 0).sum()"),
    ],
)
def test_correct_masks(module_file: Callable[[str], str], mask: str, body: str) -> None:
    path = module_file(MASKED.format(mask=mask, body=body))
    outcome = run_one("loss-ignore", f"{path}:SomeLoss", inputs={**SERIES, mask: "bool[N, L]"})
    assert (outcome.status, outcome.findings) == ("passed", [])


TOKENS = """
class TokenLoss(nn.Module):
    def __init__(self, ignore_index=-100):
        super().__init__()
        self.ignore_index = ignore_index
    def forward(self, logits, labels):
        {body}
"""
WORDS = {"logits": "float[N, L, 7]", "labels": "long[N, L] in below 7"}


@pytest.mark.parametrize(
    ("body", "severity", "words"),
    [
        # bug: an index below zero is no index for gather
        ("return -logits.log_softmax(-1).gather(-1, labels[..., None]).mean()", "error", "raises"),
        # bug: ignored tokens are counted as class 0
        (
            "return F.cross_entropy(logits.flatten(0, 1), labels.clamp(min=0).flatten())",
            "error",
            "target -100 = ignore_index",
        ),
        # bug: no influence on the value, and a gradient all the same
        (
            """keep = (labels != self.ignore_index).double()
        loss = F.cross_entropy(logits.movedim(-1, 1), labels.clamp(min=0), reduction="none")
        return (loss * keep + (loss - loss.detach()) * (1 - keep)).sum() / keep.sum().clamp(min=1)""",
            "error",
            "has a gradient",
        ),
    ],
)
def test_ignored_tokens(module_file: Callable[[str], str], body: str, severity: str, words: str) -> None:
    path = module_file(TOKENS.format(body=body))
    (finding,) = run_one("loss-ignore", f"{path}:TokenLoss", inputs=WORDS).findings
    assert finding.severity == severity
    assert words in finding.message


def test_shifted_tokens(module_file: Callable[[str], str]) -> None:
    # correct: a prediction belongs to the token after it
    body = """return F.cross_entropy(
            logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=self.ignore_index)"""
    outcome = run_one("loss-ignore", f"{module_file(TOKENS.format(body=body))}:TokenLoss", inputs=WORDS)
    assert outcome.status == "passed"


def test_all_ignored_is_worth_a_note() -> None:
    inputs = {"input": "float[N, 6]", "target": "long[N] in below 6"}
    outcome = run_one("loss-ignore", "torch.nn:CrossEntropyLoss", inputs=inputs)
    assert outcome.status == "passed"
    assert [finding.severity for finding in outcome.findings] == ["note"]


WEIGHTED = """
class SomeLoss(nn.Module):
    def __init__(self, weight=None):
        super().__init__()
        self.weight = weight
    def forward(self, logits, labels):
        weight = torch.ones(4, dtype=logits.dtype) if self.weight is None else self.weight
        return {body}
"""


@pytest.mark.parametrize(
    ("body", "severity", "words"),
    [
        # bug: taken and never used
        ("F.cross_entropy(logits, labels)", "error", "leaves the loss as it is"),
        # bug: looked up for the class after
        (
            "(weight[(labels + 1) % 4] * F.cross_entropy(logits, labels, reduction='none')).mean()",
            "warning",
            "acts on samples of other classes",
        ),
        (
            "F.cross_entropy(logits, labels, weight if self.weight is None else weight / 4, reduction='sum')",
            "warning",
            "of ones changes the loss",
        ),
    ],
)
def test_class_weights(module_file: Callable[[str], str], body: str, severity: str, words: str) -> None:
    path = module_file(WEIGHTED.format(body=body))
    inputs = {"logits": "float[N, 4]", "labels": "long[N] in below 4"}
    (finding,) = run_one("loss-ignore", f"{path}:SomeLoss", inputs=inputs).findings
    assert finding.severity == severity
    assert words in finding.message


def test_weights_of_a_dice_loss_act_where_their_class_is_absent(module_file: Callable[[str], str]) -> None:
    # correct: false positives of a class count where it is not
    body = (
        "(weight * (1 - 2 * (logits.softmax(1) * F.one_hot(labels, 4)).sum(0) / (1 + logits.softmax(1).sum(0)))).mean()"
    )
    path = module_file(WEIGHTED.format(body=body))
    inputs = {"logits": "float[N, 4]", "labels": "long[N] in below 4"}
    assert run_one("loss-ignore", f"{path}:SomeLoss", inputs=inputs).status == "passed"


def test_not_concerned() -> None:
    inputs = {"input": "float[N, 6]", "target": "float[N, 6]"}
    assert run_one("loss-ignore", "torch.nn:MSELoss", inputs=inputs).status == "skipped"
    assert run_one("loss-ignore", "torch.nn:ReLU", inputs={"input": "float[N]"}).status == "skipped"
