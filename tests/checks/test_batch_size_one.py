from collections.abc import Callable
from typing import Any

import pytest

from verifykit.testing import run_one

MODULE = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 1)
        self.norm = nn.BatchNorm1d(4)
    def forward(self, x):
        {body}
"""


def run(module_file: Callable[[str], str], body: str, shape: str = "N, 4") -> Any:
    path = module_file(MODULE.format(body=body))
    return run_one("batch-size-one", f"{path}:Layer", inputs={"x": f"float[{shape}]"})


def test_a_lost_dimension_names_the_operation(module_file: Callable[[str], str]) -> None:
    # bug: squeeze without a dimension
    (finding,) = run(module_file, "return self.linear(x).squeeze()").findings
    assert finding.severity == "error"
    assert finding.evidence["sizes"] == {"N": 1}
    assert "[] where [1]" in finding.message
    assert finding.location.line == 11


def test_wrong_values_name_the_element(module_file: Callable[[str], str]) -> None:
    # bug: one sample alone is computed with other numbers
    (finding,) = run(module_file, "return torch.tanh(x) if len(x) > 1 else x").findings
    assert finding.severity == "error"
    assert finding.evidence["alone"] != finding.evidence["among others"]
    assert len(finding.evidence["element"]) == 2


def test_sums_and_means_must_add_up(module_file: Callable[[str], str]) -> None:
    # bug: a loss that forgets to divide where there is one sample
    (finding,) = run(module_file, "return x.square().mean() if len(x) > 1 else x.square().sum()").findings
    assert finding.severity == "error"
    assert "larger batches" in finding.message


@pytest.mark.filterwarnings("ignore:std")
@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("assert len(x) > 1; return x", "warning"),
        ("return (x - x.mean(0)) / x.std(0)", "warning"),  # NaN, in a module that mixes samples
        ("return self.norm(x)", "note"),  # in training only
    ],
)
def test_what_may_be_meant_is_no_error(module_file: Callable[[str], str], body: str, severity: str) -> None:
    assert [finding.severity for finding in run(module_file, body).findings] == [severity]


# correct: what looks as if it went wrong at one sample
CORRECT = [
    ("return self.linear(x).squeeze(-1)", "N, 4"),
    ("return x - x.mean(0)", "N, 4"),  # correct: samples depend on one another at every size
    ("return x / len(x)", "N, 4"),
    ("return x.softmax(0)", "N"),
    ("return x.square().mean()", "N, 4"),
    ("return x.square().sum(), x.argmax(-1)", "N, 4"),
    ("return x.logsumexp(0)", "N, 4"),
    ("return torch.cdist(x, x)", "N, 4"),
    ("return x.transpose(0, 1)", "L, N, 4"),
    ("return x[0] if x.ndim > 2 else x", "L, N, 4"),
    ("return (x, {'ids': torch.arange(len(x))})", "N, 4"),
]


@pytest.mark.parametrize(("body", "shape"), CORRECT)
def test_correct_modules(module_file: Callable[[str], str], body: str, shape: str) -> None:
    outcome = run(module_file, body, shape)
    assert (outcome.status, outcome.findings) == ("passed", []), outcome
    assert outcome.verified


def test_where_it_does_not_apply(module_file: Callable[[str], str]) -> None:
    assert run(module_file, "return x", "3, 4").status == "skipped"
    outcome = run(module_file, "assert len(x) > 2; return x")
    assert outcome.status == "skipped"
    assert "N = 2 raises as well" in outcome.reason
