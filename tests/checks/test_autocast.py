from collections.abc import Callable

import pytest

from verifykit.testing import run_one

MODULE = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
    def forward(self, x):
        y = self.linear(x)
        return {body}
"""
X = {"x": "float[N, 4]"}


def outcome_of(module_file: Callable[[str], str], body: str) -> tuple[str, list[str]]:
    outcome = run_one("autocast", f"{module_file(MODULE.format(body=body))}:Layer", inputs=X)
    return outcome.status, [f"{finding.severity} {finding.message}" for finding in outcome.findings]


def test_bugs(module_file: Callable[[str], str]) -> None:
    # bug: added by index into another type
    status, (said,) = outcome_of(module_file, "torch.zeros_like(x).index_add(0, torch.arange(len(x)), y)")
    assert said.startswith("warning under autocast to bfloat16, its forward raises")
    # bug: a probability of one, as bfloat16 has it, has no logarithm of its complement
    status, (said,) = outcome_of(module_file, "torch.log(1 - torch.sigmoid(4 * y + 6))")
    assert said.startswith("warning under autocast to bfloat16, output is not finite in log()")
    assert status == "failed"


CORRECT = [
    # correct: types are promoted
    "x + y",
    # correct: cast where it is written
    "torch.zeros_like(x).index_add(0, torch.arange(len(x)), y.to(x.dtype))",
    # correct: no gradient to speak of
    "y.argmax(-1)",
    # correct: some dropout, whose draws depend on the type
    "F.dropout(y, 0.5, self.training)",
]


@pytest.mark.parametrize("body", CORRECT)
def test_correct(module_file: Callable[[str], str], body: str) -> None:
    assert outcome_of(module_file, body) == ("passed", [])


def test_nothing_to_cast() -> None:
    outcome = run_one("autocast", "torch.nn.functional:one_hot", inputs={"tensor": "long[N] in below 5"})
    assert outcome.status == "skipped"
