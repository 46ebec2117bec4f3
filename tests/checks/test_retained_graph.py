from collections.abc import Callable

import pytest

from verifykit.testing import run_one

MODULE = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.offset = torch.zeros(4, requires_grad=True)
    def forward(self, x):
        {body}
"""


@pytest.mark.parametrize(
    "body",
    [
        "return self.linear(x) + self.offset",  # bug: a leaf that is no parameter, which nothing freezes
        "return self.linear(x) + torch.zeros(4, requires_grad=True)",  # bug: a leaf made in forward
    ],
)
def test_bugs(module_file: Callable[[str], str], body: str) -> None:
    outcome = run_one("retained-graph", f"{module_file(MODULE.format(body=body))}:Layer", inputs={"x": "float[N, 4]"})
    (finding,) = outcome.findings
    assert finding.severity == "warning"
    assert finding.location is not None
    assert finding.location.line == 11


def test_a_loss_is_differentiated_anyway(module_file: Callable[[str], str]) -> None:
    path = module_file(MODULE.format(body="return (x + self.offset).sum()"))
    outcome = run_one("retained-graph", f"{path}:Layer", inputs={"x": "float[N, 4]"})
    assert [finding.severity for finding in outcome.findings] == ["note"]


@pytest.mark.parametrize(
    "body",
    [
        "return self.linear(x)",  # correct: frozen with its parameters
        "return self.linear(x) + self.offset.detach()",  # correct: cut off on purpose
        "return x.argmax(-1)",
    ],
)
def test_correct_modules(module_file: Callable[[str], str], body: str) -> None:
    outcome = run_one("retained-graph", f"{module_file(MODULE.format(body=body))}:Layer", inputs={"x": "float[N, 4]"})
    assert outcome.status == "passed", outcome
