import sys
from collections.abc import Callable

import pytest

from verifykit.results import CheckOutcome
from verifykit.testing import run_one

X = {"x": "float[N, 4]"}

MODEL = """
class Part(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
    def forward(self, x):
        return self.linear(x)

class InPlace(nn.Module):
    def forward(self, x):
        return x.mul_(2)

class Model(Part):
    def __init__(self):
        super().__init__()
        self.part, self.twice = Part(), InPlace()
        self.bound = self.part.forward
        {init}
    def helper(self, x):
        return super().forward(x)
    def forward(self, x):
        return {body}
"""


def _run(module_file: Callable[[str], str], body: str, init: str = "pass") -> CheckOutcome:
    return run_one("hooks", f"{module_file(MODEL.format(init=init, body=body))}:Model", inputs=X)


# forward, the part that is named
BUGS = {
    # bug: forward instead of a call
    "direct": ("self.part.forward(x)", "part"),
    # bug: a bound forward
    "bound": ("self.bound(x)", "part"),
    # bug: deep inside
    "nested": ("self.part.linear.forward(x)", "part.linear"),
    # bug: a hook in every call
    "piling up": ("self.part(x) if self.part.register_forward_hook(lambda *_: None) else x", "part"),
    # bug: an old kind of hook, beside which no new one can be put
    "old hook": ("self.part(x)", "part"),
}


@pytest.mark.parametrize(("body", "part"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], body: str, part: str, request: pytest.FixtureRequest) -> None:
    init = "self.part.register_backward_hook(lambda *_: None)" if "old hook" in request.node.name else "pass"
    (finding,) = _run(module_file, body, init).findings
    assert finding.severity == "warning"
    assert finding.evidence["part"] == part


def test_the_line_of_the_call_is_named(module_file: Callable[[str], str]) -> None:
    (finding,) = _run(module_file, "self.part.forward(x)").findings
    assert finding.location is not None
    assert finding.location.line == 25


# correct: called, by a container, by its parent class, by way of its own method; a weight used as a tensor
CORRECT = [
    "self.part(x)",
    "nn.Sequential(self.part, nn.ReLU())(x)",
    "super().forward(x)",
    "self.helper(x)",
    # correct: the weight alone
    "F.linear(x, self.part.linear.weight)",
    # correct: it is recomputed for the backward
    "torch.utils.checkpoint.checkpoint(self.part, x, use_reentrant=False)",
]


@pytest.mark.parametrize("body", CORRECT)
def test_correct_modules(module_file: Callable[[str], str], body: str) -> None:
    outcome = _run(module_file, body)
    assert (outcome.status, outcome.findings) == ("passed", [])


def test_what_a_caller_does_in_place_is_a_note(module_file: Callable[[str], str]) -> None:
    outcome = _run(module_file, "self.part(x).add_(x)")
    assert outcome.status == "passed"
    assert [finding.severity for finding in outcome.findings] == ["note"]


def test_a_part_that_changes_its_input_is_a_warning(module_file: Callable[[str], str]) -> None:
    (finding,) = _run(module_file, "self.twice(self.part(x))").findings
    assert finding.severity == "warning"
    assert finding.evidence["part"] == "twice"


def test_a_profile_function_is_left_in_place(module_file: Callable[[str], str]) -> None:
    def profile(*_: object) -> None:
        pass

    sys.setprofile(profile)
    try:
        _run(module_file, "self.part(x)")
        assert sys.getprofile() is profile
    finally:
        sys.setprofile(None)


def test_functions_are_skipped() -> None:
    assert run_one("hooks", "torch.nn.functional:relu", inputs={"input": "float[N]"}).status == "skipped"
