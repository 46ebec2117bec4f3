from collections.abc import Callable

import pytest

from verifykit.results import CheckOutcome
from verifykit.testing import run_one

X = {"x": "float[N, 4]"}

LAYER = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.scale = nn.Parameter(torch.full((4,), 2.0))
        {init}
    def forward(self, x):
        {before}
        return self.linear(x) * self.scale
    {methods}
"""


def _run(
    module_file: Callable[[str], str], before: str = "pass", methods: str = "", init: str = "pass"
) -> CheckOutcome:
    path = module_file(LAYER.format(init=init, before=before, methods=methods))
    return run_one("freeze", f"{path}:Layer", inputs=X)


BUGS = {
    # bug: it unfreezes what was frozen
    "unfreezes": ("self.linear.requires_grad_(True)", "", "error", "linear.weight to True"),
    # bug: asks for a gradient that is not there
    "gradient": ("self.training and torch.is_grad_enabled() and self.scale.sum().backward()", "", "error", "fail"),
    # bug: expects that all are trained
    "asserts": ("assert all(p.requires_grad for p in self.parameters())", "", "error", "fail"),
    # bug: moves a weight by itself
    "projects": ("self.scale.data.clamp_(0, 1)", "", "warning", "scale, though it is frozen"),
    # bug: freezes by itself, from the first call on
    "freezes": ("self.linear.requires_grad_(False)", "", "warning", "switches off the gradient of linear.weight"),
    # bug: train() unfreezes
    "train": (
        "pass",
        "def train(self, mode=True):\n        self.linear.requires_grad_(mode)\n        return super().train(mode)",
        "warning",
        "train() sets requires_grad of linear.weight",
    ),
}


@pytest.mark.parametrize(("before", "methods", "severity", "words"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], before: str, methods: str, severity: str, words: str) -> None:
    (finding,) = _run(module_file, before, methods).findings
    assert finding.severity == severity
    assert words in finding.message


@pytest.mark.parametrize("name", ["unfreezes", "projects"])
def test_the_line_is_that_which_does_it(module_file: Callable[[str], str], name: str) -> None:
    (finding,) = _run(module_file, BUGS[name][0]).findings
    assert finding.location is not None
    assert finding.location.line == 12


# correct: nothing; a frozen part from the beginning; asks before it uses; statistics; draws in training
CORRECT = {
    "plain": ("pass", "pass"),
    "frozen in part": ("pass", "self.linear.requires_grad_(False)"),
    # correct: looks before it computes
    "asks": ("self.scale.requires_grad and self.scale.sum()", "pass"),
    # correct: running statistics go on
    "statistics": ("x = self.bn(x)", "self.bn = nn.BatchNorm1d(4)"),
    # correct: it is random, in training only
    "dropout": ("x = F.dropout(x, 0.5, self.training)", "pass"),
}


@pytest.mark.parametrize(("before", "init"), CORRECT.values(), ids=CORRECT.keys())
def test_correct_modules(module_file: Callable[[str], str], before: str, init: str) -> None:
    outcome = _run(module_file, before, init=init)
    assert (outcome.status, outcome.findings) == ("passed", [])


def test_undecided_where_each_construction_is_another(module_file: Callable[[str], str]) -> None:
    init = "import secrets; self.k = secrets.randbelow(10**6); self.linear.weight.data.mul_(self.k)"
    assert _run(module_file, init=init).status == "inconclusive"


@pytest.mark.parametrize("target", ["torch.nn.functional:relu", "torch.nn:ReLU"])
def test_what_has_no_parameters_is_skipped(target: str) -> None:
    assert run_one("freeze", target, inputs={"input": "float[N]"}).status == "skipped"
