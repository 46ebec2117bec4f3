from collections.abc import Callable

import pytest

from verifykit.testing import run_one

LOSS = """
class SomeLoss(nn.Module):
    def forward(self, {arguments}):
        return {body}
"""
PAIR = {"prediction": "float[N, 3]", "target": "float[N, 3]"}
CLASSES = {"logits": "float[N, 5]", "labels": "long[N] in below 5"}


@pytest.mark.parametrize(
    ("body", "inputs", "severity", "words"),
    [
        # bug: an infinite slope at a perfect fit
        ("((prediction - target) ** 2).sum(-1).sqrt().mean()", PAIR, "error", "not finite"),
        ("((prediction - target) / (prediction - target).abs().max()).square().mean()", PAIR, "error", "loss is nan"),
        # bug: least in other units
        ("((3 * prediction - target) ** 2).mean()", PAIR, "warning", "0.3333 * target"),
        # bug: least beside the target
        ("((prediction - target - 0.5) ** 2).mean()", PAIR, "warning", "1 * target + 0.5"),
        # bug: no minimum at all
        ("(prediction - target).mean()", PAIR, "warning", "falls without end"),
        # bug: counted from one
        ("F.cross_entropy(logits, (labels - 1) % 5)", CLASSES, "warning", "class labels + 4"),
        # correct: pulled toward a constant by a penalty
        ("((prediction - target) ** 2).mean() + 0.1 * (prediction ** 2).mean()", PAIR, "note", "0.9091 * target"),
        ("((prediction - target) ** 2).mean() + 0.1 * ((prediction - 2) ** 2).mean()", PAIR, "note", "0.1818"),
    ],
)
def test_findings(
    module_file: Callable[[str], str], body: str, inputs: dict[str, str], severity: str, words: str
) -> None:
    path = module_file(LOSS.format(arguments=", ".join(inputs), body=body))
    (finding,) = run_one("loss-minimum", f"{path}:SomeLoss", inputs=inputs).findings
    assert finding.severity == severity
    assert words in finding.message


@pytest.mark.parametrize(
    ("body", "inputs"),
    [
        # correct: kinks at the minimum, and every slope of a quantile
        ("(prediction - target).abs().mean()", PAIR),
        ("torch.maximum(0.9 * (target - prediction), 0.1 * (prediction - target)).mean()", PAIR),
        # correct: the same for all multiples of the target
        ("1 - F.cosine_similarity(prediction, target, eps=0).mean()", PAIR),
        ("(prediction - target).norm()", PAIR),
        # correct: least at a finite logit
        ("F.cross_entropy(logits, labels, label_smoothing=0.2)", CLASSES),
        ("F.multi_margin_loss(logits, labels)", CLASSES),
        # correct: a difference of large terms, whose rounding is not a minimum
        ("1e6 + F.kl_div(prediction.log_softmax(-1), target.softmax(-1))", PAIR),
    ],
)
def test_correct_losses(module_file: Callable[[str], str], body: str, inputs: dict[str, str]) -> None:
    path = module_file(LOSS.format(arguments=", ".join(inputs), body=body))
    outcome = run_one("loss-minimum", f"{path}:SomeLoss", inputs=inputs)
    assert (outcome.status, outcome.findings) == ("passed", [])


def test_not_concerned(module_file: Callable[[str], str]) -> None:
    body = "F.mse_loss(first, second) - first.mean()"
    path = module_file(LOSS.format(arguments="first, second", body=body))
    inputs = {"first": "float[N, 3]", "second": "float[N, 3]"}
    assert run_one("loss-minimum", f"{path}:SomeLoss", inputs=inputs).status == "skipped"
    assert run_one("loss-minimum", "torch.nn:ReLU", inputs={"input": "float[N]"}).status == "skipped"


def test_shifted_targets_are_not_judged(module_file: Callable[[str], str]) -> None:
    # correct: a language model's
    body = "F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())"
    path = module_file(LOSS.format(arguments="logits, labels", body=body))
    inputs = {"logits": "float[N, L, 5]", "labels": "long[N, L] in below 5"}
    assert run_one("loss-minimum", f"{path}:SomeLoss", inputs=inputs).status in ("passed", "inconclusive")
