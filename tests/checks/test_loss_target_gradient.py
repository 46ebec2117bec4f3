from collections.abc import Callable

import pytest

from verifykit.testing import run_one

LOSS = """
class {name}(nn.Module):
    def forward(self, {arguments}):
        return {body}
"""
PAIR = {"prediction": "float[N, 6]", "target": "float[N, 6]"}
CLASSES = {"logits": "float[N, 5]", "labels": "long[N] in below 5"}
TAUGHT = {"student": "float[N, 6]", "teacher": "float[N, 6]"}


@pytest.mark.parametrize(
    ("body", "inputs", "severity", "words"),
    [
        # bug: rounded, so flat
        ("(prediction.round() - target).abs().mean()", PAIR, "error", "lost in round"),
        # bug: the wrong one of the two is detached
        ("F.mse_loss(prediction.detach(), target)", PAIR, "error", "yet its gradient"),
        # bug: an error rate
        ("(logits.argmax(-1) != labels).to(logits.dtype).mean()", CLASSES, "error", "lost in argmax"),
        ("target.square().mean()", PAIR, "error", "does not depend"),
        # bug: the last batch element is cut off
        ("F.mse_loss(prediction[:-1], target[:-1])", PAIR, "warning", "samples [2] of 3"),
        ("F.mse_loss(student, teacher)", TAUGHT, "warning", "teacher"),
        ("F.mse_loss(prediction, target)", PAIR, "note", "flows into target too"),
    ],
)
def test_findings(
    module_file: Callable[[str], str], body: str, inputs: dict[str, str], severity: str, words: str
) -> None:
    path = module_file(LOSS.format(name="SomeLoss", arguments=", ".join(inputs), body=body))
    (finding,) = run_one("loss-target-gradient", f"{path}:SomeLoss", inputs=inputs).findings
    assert finding.severity == severity
    assert words in finding.message


def test_names_the_line(module_file: Callable[[str], str]) -> None:
    path = module_file("""
class SomeLoss(nn.Module):
    def forward(self, logits, labels):
        rate = torch.sigmoid(logits)
        hit = rate > 0.5
        return (hit.float() - labels).abs().mean()
""")
    inputs = {"logits": "float[N]", "labels": "float[N] in {0, 1}"}
    (finding,) = run_one("loss-target-gradient", f"{path}:SomeLoss", inputs=inputs).findings
    assert finding.location is not None
    assert finding.location.line == 8


@pytest.mark.parametrize(
    ("body", "inputs"),
    [
        # correct: the teacher is detached
        ("F.mse_loss(student, teacher.detach())", TAUGHT),
        # correct: no gradient where the margin is kept, at some draws
        ("F.multi_margin_loss(logits, labels)", CLASSES),
        # correct: a straight-through estimate
        ("F.cross_entropy(logits + (logits.round() - logits).detach(), labels)", CLASSES),
        # correct: the last token of a sequence predicts nothing
        ("F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())",
         {"logits": "float[N, L, 5]", "labels": "long[N, L] in below 5"}),
    ],
)  # fmt: skip
def test_correct_losses(module_file: Callable[[str], str], body: str, inputs: dict[str, str]) -> None:
    path = module_file(LOSS.format(name="SomeLoss", arguments=", ".join(inputs), body=body))
    outcome = run_one("loss-target-gradient", f"{path}:SomeLoss", inputs=inputs)
    assert (outcome.status, outcome.findings) == ("passed", [])


def test_metrics_need_no_gradient(module_file: Callable[[str], str]) -> None:
    # correct: a metric
    body = "(logits.argmax(-1) == labels).double().mean()"
    path = module_file(LOSS.format(name="Accuracy", arguments="logits, labels", body=body))
    assert run_one("loss-target-gradient", f"{path}:Accuracy", inputs=CLASSES).status == "skipped"


def test_what_nothing_calls_a_loss_gets_a_warning(module_file: Callable[[str], str]) -> None:
    body = "(logits.argmax(-1) != labels).double().mean()"
    path = module_file(LOSS.format(name="Disagreement", arguments="logits, labels", body=body))
    (finding,) = run_one("loss-target-gradient", f"{path}:Disagreement", inputs=CLASSES).findings
    assert finding.severity == "warning"
