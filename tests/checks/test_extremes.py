from collections.abc import Callable

import pytest

from verifykit.testing import run_one

MODULE = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
    def forward(self, x):
        h = self.linear(x)
        return {body}
"""

BUGS = {
    # bug: softplus by its definition overflows
    "softplus": ("(1 + h.exp()).log()", "error", "in single precision"),
    # bug: minimum and maximum of a constant row are the same
    "min-max": (
        "(x - x.amin(-1, keepdim=True)) / (x.amax(-1, keepdim=True) - x.amin(-1, keepdim=True))",
        "error",
        "bounded",
    ),
    # bug: the branch that is not chosen has a root of negative numbers
    "where": ("torch.where(x > -5, (x + 5).sqrt(), 0.0) + h", "error", "although the outputs are finite"),
    # bug: a logarithm that ends far below zero, where ordinary values do not reach
    "domain": ("(x + 9).log() + h", "warning", "domain allows"),
    # bug: squares of tiny values vanish in single precision
    "tiny": ("h + x / (x.square().sum(-1, keepdim=True) + (x == 0).all(-1, keepdim=True)).sqrt()", "warning", "1e-30"),
}


@pytest.mark.parametrize(("body", "severity", "told"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], body: str, severity: str, told: str) -> None:
    path = module_file(MODULE.format(body=body))
    outcome = run_one("extremes", f"{path}:Layer", inputs={"x": "float[N, 4]"})
    finding = outcome.findings[0]
    assert finding.severity == severity, outcome
    assert told in finding.message
    assert finding.location is not None
    assert finding.location.line == 11


CORRECT = {
    # correct: it grows beyond all numbers by itself
    "exponential": ("h.exp()", "float[N, 4]"),
    # correct: and so does a mixture of such values
    "mixed exponentials": ("self.linear(x.exp())", "float[N, 4]"),
    # correct: a pole is infinite in truth
    "reciprocal": ("1 / x + h", "float[N, 4]"),
    # correct: infinities put there on purpose, at ordinary values too
    "mask": ("h.masked_fill(torch.eye(4, dtype=torch.bool)[0], -torch.inf)", "float[N, 4]"),
    # correct: grows to infinity, ever so slowly
    "Gumbel noise": ("-(-x.log()).log() + h", "float[N, 4] in [0, 1)"),
    # correct: infinite at 0, which the interval leaves out
    "logarithm": ("x.log() + h", "float[N, 4] in (0, inf)"),
    # correct: 0 * log 0 by the function made for it
    "entropy": ("torch.xlogy(x, x.clamp(min=1e-12)) + h", "float[N, 4] in [0, 1]"),
    # correct: it refuses what it cannot take
    "refusal": ("(x / x.norm()) if bool((x != 0).all()) and bool(x.abs().max() > 1e-9) else [][0]", "float[N, 4]"),
}


@pytest.mark.parametrize(("body", "text"), CORRECT.values(), ids=CORRECT.keys())
def test_correct_modules(module_file: Callable[[str], str], body: str, text: str) -> None:
    path = module_file(MODULE.format(body=body))
    outcome = run_one("extremes", f"{path}:Layer", inputs={"x": text})
    assert outcome.status == "passed", outcome
    assert not outcome.findings


def test_an_infinite_slope_of_the_function_itself_is_a_note(module_file: Callable[[str], str]) -> None:
    path = module_file(MODULE.format(body="x.sqrt() + h"))
    outcome = run_one("extremes", f"{path}:Layer", inputs={"x": "float[N, 4] in [0, inf)"})
    assert [finding.severity for finding in outcome.findings] == ["note"]
    assert outcome.status == "passed"


def test_one_cause_is_told_once(module_file: Callable[[str], str]) -> None:
    path = module_file(MODULE.format(body="h.exp() / h.exp().sum(-1, keepdim=True)"))
    outcome = run_one("extremes", f"{path}:Layer", inputs={"x": "float[N, 4]"})
    assert len(outcome.findings) == 1
    assert outcome.findings[0].evidence["operation"] == "exp"
    assert "also with" in outcome.findings[0].evidence


def test_nan_at_ordinary_values_is_told_once(module_file: Callable[[str], str]) -> None:
    path = module_file(MODULE.format(body="x.log() + h"))
    (finding,) = run_one("extremes", f"{path}:Layer", inputs={"x": "float[N, 4]"}).findings
    assert finding.severity == "warning"
    assert "ordinary values" in finding.message


def test_integers_alone_come_out(module_file: Callable[[str], str]) -> None:
    path = module_file(MODULE.format(body="h.argmax(-1)"))
    assert run_one("extremes", f"{path}:Layer", inputs={"x": "float[N, 4]"}).status == "skipped"


# correct: functions that autograd knows how to treat where their formula is singular
@pytest.mark.parametrize("name", ["PairwiseDistance", "CosineSimilarity"])
def test_singular_points_that_torch_treats(name: str) -> None:
    outcome = run_one("extremes", f"torch.nn:{name}", inputs={"x1": "float[N, 6]", "x2": "float[N, 6]"})
    assert outcome.status == "passed"
    assert not outcome.findings
