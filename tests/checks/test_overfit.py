from collections.abc import Callable

import pytest

from verifykit.testing import run_one

MODULE = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.kept = None
        {init}
    def forward(self, x):
        {body}
"""

BUGS = {
    # bug: a product that is kept with its graph
    "kept graph": (
        "",
        "self.kept = self.linear.weight * 2 if self.kept is None else self.kept; return x @ self.kept",
        "error",
        "step 2 raises",
    ),
    # bug: weights are rounded for good, so that small steps are lost
    "rounded": (
        "",
        "w = self.linear.weight; w.data.copy_((w * 2).round() / 2); return F.linear(x, w)",
        "error",
        "steps do not take effect",
    ),
    # bug: a Parameter that no optimiser knows of
    "made anew": (
        "",
        "self.linear.weight = nn.Parameter(self.linear.weight * 0.9); return self.linear(x)",
        "error",
        "another Parameter",
    ),
    # bug: nothing has a gradient
    "cut": ("", "return self.linear(x).detach()", "error", "carry no gradient"),
    # bug: a slope that is infinite where it starts
    "infinite slope": (
        "self.gain = nn.Parameter(torch.zeros(4))",
        "return self.linear(x) * self.gain.abs().sqrt()",
        "error",
        "not finite",
    ),
    # bug: a weight that decides by comparison only
    "jump": (
        "self.least = nn.Parameter(torch.zeros(4))",
        "return self.linear(x) * (x > self.least)",
        "warning",
        "no gradient ever arrives at least",
    ),
}


@pytest.mark.parametrize(("init", "body", "severity", "told"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], init: str, body: str, severity: str, told: str) -> None:
    path = module_file(MODULE.format(init=init or "pass", body=body))
    (finding,) = run_one("overfit", f"{path}:Layer", inputs={"x": "float[N, 4]"}).findings
    assert finding.severity == severity
    assert told in finding.message


CORRECT = {
    # correct: starts as the identity, and leaves it
    "zero gain": ("self.gain = nn.Parameter(torch.zeros(4))", "return x + self.gain * self.linear(x)"),
    # correct: dropout, the same in each step of the run
    "dropout": ("self.drop = nn.Dropout(0.5)", "return self.drop(self.linear(x))"),
    # correct: a bias that the following normalisation cancels
    "cancelled bias": ("self.norm = nn.BatchNorm1d(4)", "return self.norm(self.linear(x))"),
    # correct: a frozen part
    "frozen": ("self.base = nn.Linear(4, 4).requires_grad_(False)", "return self.base(x) + self.linear(x)"),
    # correct: large inputs and outputs
    "scaled": ("", "return 1e4 * self.linear(1e3 * x)"),
}


@pytest.mark.parametrize(("init", "body"), CORRECT.values(), ids=CORRECT.keys())
def test_correct_modules(module_file: Callable[[str], str], init: str, body: str) -> None:
    path = module_file(MODULE.format(init=init or "pass", body=body))
    outcome = run_one("overfit", f"{path}:Layer", inputs={"x": "float[N, 4]"})
    assert outcome.status == "passed", outcome
    assert not outcome.findings


LOSS = """
class SomeLoss(nn.Module):
    def forward(self, prediction, target):
        return {body}
"""


def test_a_loss_that_counts(module_file: Callable[[str], str]) -> None:
    path = module_file(LOSS.format(body="((prediction > 0) != (target > 0)).double().mean() + 0 * prediction.sum()"))
    inputs = {"prediction": "float[N, 3]", "target": "float[N, 3]"}
    (finding,) = run_one("overfit", f"{path}:SomeLoss", inputs=inputs).findings
    assert finding.severity == "error"
    assert "it counts" in finding.message


# correct: losses over predictions that must stay in their domain
@pytest.mark.parametrize(
    ("domain", "body"),
    [
        ("simplex", "-(target * prediction.log()).sum(-1).mean()"),
        ("(0, 1)", "((prediction - target) ** 2 / prediction).mean()"),
        ("(0, inf)", "(target / prediction + prediction.log()).mean()"),
        ("[-inf, 0]", "((prediction + target) ** 2).mean()"),
    ],
)
def test_correct_losses(module_file: Callable[[str], str], domain: str, body: str) -> None:
    path = module_file(LOSS.format(body=body))
    inputs = {"prediction": f"float[N, 3] in {domain}", "target": "float[N, 3] in (0, 1)"}
    assert run_one("overfit", f"{path}:SomeLoss", inputs=inputs).status == "passed"


def test_a_loss_at_its_minimum_is_not_judged(module_file: Callable[[str], str]) -> None:
    path = module_file(LOSS.format(body="torch.relu((prediction - target).abs() - 9).mean()"))
    inputs = {"prediction": "float[N, 3]", "target": "float[N, 3]"}
    assert run_one("overfit", f"{path}:SomeLoss", inputs=inputs).status == "inconclusive"


def test_without_parameters() -> None:
    assert run_one("overfit", "torch.nn:ReLU", inputs={"input": "float[N]"}).status == "skipped"


def test_outputs_that_drift_in_training(module_file: Callable[[str], str]) -> None:
    init = 'self.register_buffer("calls", torch.zeros(()))'
    path = module_file(MODULE.format(init=init, body="self.calls += 1; return self.linear(x) * self.calls"))
    assert run_one("overfit", f"{path}:Layer", inputs={"x": "float[N, 4]"}).status == "inconclusive"
