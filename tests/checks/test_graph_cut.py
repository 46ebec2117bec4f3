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
    # bug: the input itself, which some detach on purpose
    "input": ("x.detach() * self.scale + self.shift", "x"),
}


@pytest.mark.parametrize(("body", "leaf"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], body: str, leaf: str) -> None:
    path = module_file(MODULE.format(body=body))
    outcome = run_one("graph-cut", f"{path}:Layer", inputs={"x": "float[N, 4]"})
    (finding,) = outcome.findings
    assert finding.severity == ("warning" if leaf == "x" else "error")
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


def test_what_is_detached_on_purpose_is_no_error(module_file: Callable[[str], str]) -> None:
    source = """
class DistillationLoss(nn.Module):
    def forward(self, student, teacher):
        return ((student - teacher.detach()) ** 2).mean()

class Frozen(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 2)
    def forward(self, x):
        return self.head(x.detach())
"""
    path = module_file(source)
    pair = {"student": "float[N, 4]", "teacher": "float[N, 4]"}
    for target, inputs, severity in (("DistillationLoss", pair, "note"), ("Frozen", {"x": "float[N, 4]"}, "warning")):
        (finding,) = run_one("graph-cut", f"{path}:{target}", inputs=inputs).findings
        assert finding.severity == severity
