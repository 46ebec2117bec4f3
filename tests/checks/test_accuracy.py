from collections.abc import Callable

import pytest

from verifykit.testing import run_one

BUGS = {
    # bug: the variance of large numbers
    "variance": (
        "x / ((x * x).mean(-1, keepdim=True) - x.mean(-1, keepdim=True) ** 2 + 1e-3).sqrt()",
        "values around 1000",
    ),
    # bug: a difference from one
    "cosine": ("1 - x.cos()", "values of about 1e-4"),
    # bug: pairwise distances by products
    "pairwise": (
        "((x * x).sum(-1)[:, None] + (x * x).sum(-1) - 2 * x @ x.T).clamp_min(1e-9).sqrt()",
        "values around 1000",
    ),
}


@pytest.mark.parametrize(("body", "regime"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], body: str, regime: str) -> None:
    path = module_file(f"def layer(x): return {body}")
    (finding,) = run_one("accuracy", f"{path}:layer", inputs={"x": "float[N, 6]"}).findings
    assert finding.severity == "warning"
    assert finding.evidence["inputs"] == regime
    assert "digits cancel" in finding.message


CORRECT = [
    # correct: the problem itself is ill-conditioned
    "torch.tan(x * 100) + torch.linalg.inv(x.T @ x + 1e-3 * torch.eye(6, dtype=x.dtype)).sum()",
    # correct: stable formulas
    "torch.expm1(x) + torch.log1p(x.abs()) + 2 * torch.sin(x / 2) ** 2",
    # correct: a decision that falls otherwise is no cancellation
    "torch.floor(x * 8) + x.argsort(-1)",
    # correct: eigenvectors come with either sign
    "torch.linalg.eigh(x.T @ x)[1] * 1.0",
    # correct: one minus a similarity of about one is as exact as its scale
    "1 - torch.cosine_similarity(x, x.flip(0), dim=-1)",
    # correct: deep, and every step is stable
    "F.layer_norm((x @ x.T).softmax(-1) @ x, (6,)).tanh().cumsum(-1).logsumexp(-1)",
]


@pytest.mark.parametrize("body", CORRECT)
def test_correct(module_file: Callable[[str], str], body: str) -> None:
    path = module_file(f"def layer(x): return {body}")
    outcome = run_one("accuracy", f"{path}:layer", inputs={"x": "float[N, 6]"})
    assert (outcome.status, outcome.findings) == ("passed", [])


def test_a_loss_of_nearly_zero_is_zero(module_file: Callable[[str], str]) -> None:
    # correct: near its minimum a loss need not have digits of its own
    path = module_file("def welsch_loss(input, target): return (1 - torch.exp(-((input - target) ** 2))).mean()")
    outcome = run_one("accuracy", f"{path}:welsch_loss", inputs={"input": "float[N, 4]", "target": "float[N, 4]"})
    assert outcome.findings == []


def test_noise_tells_nothing(module_file: Callable[[str], str]) -> None:
    path = module_file("def layer(x): return x + torch.rand(5)")
    assert run_one("accuracy", f"{path}:layer", inputs={"x": "float[N, 5]"}).status == "skipped"
