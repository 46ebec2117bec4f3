from collections.abc import Callable

import pytest

from verifykit.testing import run_one

LOSS = """
class {name}(nn.Module):
    def forward(self, {arguments}):
        return {body}
"""


def status(module_file: Callable[[str], str], name: str, body: str, inputs: dict[str, str]) -> str:
    path = module_file(LOSS.format(name=name, arguments=", ".join(inputs), body=body))
    return run_one("loss-sign", f"{path}:{name}", inputs=inputs).status


PAIR = {"prediction": "float[N, 6]", "target": "float[N, 6]"}
CLASSES = {"logits": "float[N, 5]", "labels": "long[N] in below 5"}
BINARY = {"logits": "float[N]", "target": "float[N] in {0, 1}"}

BUGS = {
    # bug: a score for the right class, not its loss
    "softmax": ("logits.softmax(-1).gather(-1, labels[:, None]).mean()", CLASSES),
    # bug: the minus of a cross entropy is missing
    "binary": ("(target * F.logsigmoid(logits) + (1 - target) * F.logsigmoid(-logits)).mean()", BINARY),
    # bug: a signal-to-noise ratio, which is the better the higher
    "signal to noise": ("-torch.log10(((prediction - target) ** 2).mean() + 1e-8)", PAIR),
}


@pytest.mark.parametrize(("body", "inputs"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], body: str, inputs: dict[str, str]) -> None:
    assert status(module_file, "SomeLoss", body, inputs) == "failed"


CORRECT = {
    # correct: log-values, logits and values of the target, each the right reading of its loss
    "poisson": ("(log_rate.exp() - target * log_rate).mean()",
                {"log_rate": "float[N]", "target": "float[N] in [0, 9]"}),
    "distillation": ("-(target * logits.log_softmax(-1)).sum(-1).mean()",
                     {"logits": "float[N, 5]", "target": "float[N, 5] in simplex"}),
    "negative similarity": ("-F.cosine_similarity(prediction, target).mean()", PAIR),
    "class": ("-logits.log_softmax(-1).gather(-1, labels[:, None]).mean()", CLASSES),
    # correct: nothing says that the two shall be alike
    "repulsion": ("F.cosine_similarity(first, second).mean()", {"first": "float[N, 6]", "second": "float[N, 6]"}),
}  # fmt: skip


@pytest.mark.parametrize(("body", "inputs"), CORRECT.values(), ids=CORRECT.keys())
def test_correct_losses(module_file: Callable[[str], str], body: str, inputs: dict[str, str]) -> None:
    assert status(module_file, "SomeLoss", body, inputs) == "passed"


def test_a_score_by_name_is_no_loss(module_file: Callable[[str], str]) -> None:
    # correct: a metric
    assert status(module_file, "CosineScore", "F.cosine_similarity(prediction, target).mean()", PAIR) == "passed"
    assert status(module_file, "Accuracy", "(logits.argmax(-1) == labels).double().mean()", CLASSES) == "skipped"


def test_off_by_one_is_not_a_question_of_sign(module_file: Callable[[str], str]) -> None:
    body = "-logits.log_softmax(-1).gather(-1, (labels[:, None] + 1) % 5).mean()"
    assert status(module_file, "SomeLoss", body, CLASSES) == "inconclusive"


def test_the_gradient_that_points_uphill_is_an_error(module_file: Callable[[str], str]) -> None:
    path = module_file("""
class _Error(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.abs()
    @staticmethod
    def backward(ctx, grad):
        return -grad * ctx.saved_tensors[0].sign()
class SomeLoss(nn.Module):
    def forward(self, prediction, target):
        return _Error.apply(prediction - target).mean()
""")
    (finding,) = run_one("loss-sign", f"{path}:SomeLoss", inputs=PAIR).findings
    assert finding.severity == "error"
    assert "against the gradient" in finding.message
