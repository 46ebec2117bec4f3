from collections.abc import Callable

import pytest

from verifykit.results import CheckOutcome
from verifykit.testing import run_one

X = {"x": "float[N, 4]"}

LAYER = """
import random
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.bn = nn.Linear(4, 4), nn.BatchNorm1d(4)
        {init}
    def forward(self, x):
        return self.bn(self.linear(x)) {then}
    {methods}
"""


def _run(module_file: Callable[[str], str], init: str = "pass", then: str = "", methods: str = "") -> CheckOutcome:
    path = module_file(LAYER.format(init=init, then=then, methods=methods))
    return run_one("state-dict", f"{path}:Layer", inputs=X)


def test_a_number_drawn_in_the_constructor_is_named(module_file: Callable[[str], str]) -> None:
    # bug: a random Python number
    (finding,) = _run(module_file, "self.slope = random.random()", "* self.slope").findings
    assert finding.severity == "error"
    assert "self.slope" in finding.message


def test_what_loading_drops_is_named(module_file: Callable[[str], str]) -> None:
    # bug: loading leaves out a part
    methods = """def load_state_dict(self, state, strict=True, assign=False):
        kept = {k: v for k, v in state.items() if "linear" not in k}
        return super().load_state_dict(kept, False)"""
    (finding,) = _run(module_file, methods=methods).findings
    assert finding.severity == "error"
    assert finding.evidence["not restored"] == ["linear.weight", "linear.bias"]
    assert finding.location is not None
    assert finding.location.line == 13


def test_loading_that_notices_nothing(module_file: Callable[[str], str]) -> None:
    # bug: it does not care for strict
    methods = """def load_state_dict(self, state, strict=True, assign=False):
        return super().load_state_dict(state, False)"""
    (finding,) = _run(module_file, methods=methods).findings
    assert finding.severity == "warning"
    assert "without linear.weight" in finding.message


def test_loading_that_keeps_the_memory_of_the_dict(module_file: Callable[[str], str]) -> None:
    # bug: the loaded tensors are taken over as they are
    methods = """def load_state_dict(self, state, strict=True, assign=False):
        return super().load_state_dict(state, strict, True)"""
    (finding,) = _run(module_file, methods=methods).findings
    assert finding.severity == "warning"


CORRECT = {
    # correct: counts calls for a log, which nothing depends on
    "log": ("self.calls = random.random()", "", ""),
    # correct: one parameter under two names
    "tied": ("self.other = nn.Linear(4, 4); self.other.weight = self.linear.weight", "+ self.other(x)", ""),
    # correct: plain extra state
    "extra": (
        "self.k = 2.0",
        "* self.k",
        "def get_extra_state(self): return {'k': self.k}\n    def set_extra_state(self, s): self.k = s['k']",
    ),
    # correct: random draws in training, from a generator of its own
    "augments": ("self.r = random.Random(0)", "* (self.r.random() if self.training else 1)", ""),
}


@pytest.mark.parametrize(("init", "then", "methods"), CORRECT.values(), ids=CORRECT.keys())
def test_correct_modules(module_file: Callable[[str], str], init: str, then: str, methods: str) -> None:
    outcome = _run(module_file, init, then, methods)
    assert (outcome.status, outcome.findings) == ("passed", [])


def test_undecided_where_calls_depend_on_those_before(module_file: Callable[[str], str]) -> None:
    methods = "def count(self): self.n += 1; return self.n"
    assert _run(module_file, "self.n = 0", "* self.count()", methods).status == "inconclusive"


def test_functions_are_skipped() -> None:
    assert run_one("state-dict", "torch.nn.functional:relu", inputs={"input": "float[N]"}).status == "skipped"
