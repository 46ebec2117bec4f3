from collections.abc import Callable

import pytest

from verifykit.testing import run_one

MODULE = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
    def forward(self, x):
        return {body}
"""

BUGS = {
    # bug: one layer used twice, the other forgotten
    "forgotten layer": ("self.first(self.first(x))", ["second.weight", "second.bias"]),
    # bug: the bias is left out of a hand-written product
    "forgotten bias": ("self.second(x @ self.first.weight.T)", ["first.bias"]),
}


@pytest.mark.parametrize(("body", "names"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], body: str, names: list[str]) -> None:
    path = module_file(MODULE.format(body=body))
    outcome = run_one("unused-parameter", f"{path}:Layer", inputs={"x": "float[N, 4]"})
    assert [finding.evidence["parameter"] for finding in outcome.findings] == names
    assert {finding.severity for finding in outcome.findings} == {"warning"}


# correct: all used; used in training only; multiplied by what happens to be zero
CORRECT = [
    "self.second(self.first(x))",
    "self.second(x) + (self.first(x) if self.training else 0)",
    # correct: gradient zero, yet in the graph
    "self.second(x) + self.first(x) * 0",
]


@pytest.mark.parametrize("body", CORRECT)
def test_correct_modules(module_file: Callable[[str], str], body: str) -> None:
    path = module_file(MODULE.format(body=body))
    assert run_one("unused-parameter", f"{path}:Layer", inputs={"x": "float[N, 4]"}).status == "passed"


def test_no_parameters() -> None:
    assert run_one("unused-parameter", "torch.nn:ReLU", inputs={"input": "float[N]"}).status == "skipped"
