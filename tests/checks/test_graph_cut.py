from collections.abc import Callable

import pytest

from verifykit.testing import run_one

MODULE = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4))
        self.shift = nn.Parameter(torch.ones(4))
    def forward(self, x):
        return {body}
"""

BUGS = {
    # bug: a detach left over from logging
    "detach": ("x * self.scale.detach() + self.shift", "scale"),
    # bug: a Python number made of a parameter
    "item": ("x * self.scale.mean().item() + self.shift", "scale"),
    # bug: .data
    "data": ("x * self.scale + self.shift.data", "shift"),
    # bug: the input itself
    "input": ("x.detach() * self.scale + self.shift", "x"),
}


@pytest.mark.parametrize(("body", "leaf"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], body: str, leaf: str) -> None:
    path = module_file(MODULE.format(body=body))
    outcome = run_one("graph-cut", f"{path}:Layer", inputs={"x": "float[N, 4]"})
    (finding,) = outcome.findings
    assert finding.severity == "error"
    assert finding.evidence["leaf"] == leaf
    assert finding.location is not None
    assert finding.location.line == 11
    # One cause, one finding: the rest of the gradient is right.
    assert run_one("gradient", f"{path}:Layer", inputs={"x": "float[N, 4]"}).status in ("passed", "skipped")


CORRECT = [
    # correct: everything in the graph
    "x * self.scale + self.shift",
    # correct: a detach on what has no influence on the value
    "x * self.scale + self.shift + 0 * x.detach()",
    # correct: a mask computed from the input, whose derivative is zero
    "torch.where(x.detach() > 0, x, 0) * self.scale + self.shift",
]


@pytest.mark.parametrize("body", CORRECT)
def test_correct_modules(module_file: Callable[[str], str], body: str) -> None:
    path = module_file(MODULE.format(body=body))
    assert run_one("graph-cut", f"{path}:Layer", inputs={"x": "float[N, 4]"}).status == "passed"
