from collections.abc import Callable

import pytest
import torch

from verifykit.results import CheckOutcome
from verifykit.testing import run_one

X = {"x": "float[N, 4]"}

LAYER = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 5), nn.Linear(5, 4)
        {init}
    def forward(self, x):
        return {body}
"""
BOTH = "self.second(torch.tanh(self.first(x)))"


def _run(module_file: Callable[[str], str], init: str = "pass", body: str = BOTH) -> CheckOutcome:
    return run_one("initialisation", f"{module_file(LAYER.format(init=init, body=body))}:Layer", inputs=X)


# constructor, forward, severity, words of the message
BUGS = {
    # bug: never written
    "empty": ("self.w = nn.Parameter(torch.empty(4))", f"{BOTH} * self.w", "error", "w are uninitialised memory"),
    # bug: only a part of it is written
    "in part": ("self.w = nn.Parameter(torch.empty(4)); self.w.data[1:] = 1", f"{BOTH} * self.w", "error", "1 of 4"),
    # bug: a buffer that is read before it is written
    "buffer": ("self.register_buffer('w', torch.empty(4))", f"{BOTH} * self.w", "error", "uninitialised memory: w"),
    # bug: no number
    "nan": ("self.w = nn.Parameter(torch.zeros(4).log() * 0)", f"{BOTH} * self.w", "error", "not finite"),
    # bug: all units alike in both layers
    "alike": (
        "[nn.init.constant_(p, 0.1) for p in self.parameters()]", BOTH, "warning", "the 5 units of first.weight",
    ),
    # bug: zero behind zero
    "dead": ("[nn.init.zeros_(p) for p in self.parameters()]", BOTH, "warning", "first.weight"),
    # bug: a deviation taken for its inverse
    "huge": ("nn.init.normal_(self.first.weight, std=4e4)", "self.first(x)", "warning", "standard deviation"),
}  # fmt: skip


@pytest.mark.parametrize(("init", "body", "severity", "words"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], init: str, body: str, severity: str, words: str) -> None:
    (finding,) = _run(module_file, init, body).findings
    assert finding.severity == severity
    assert words in finding.message


CORRECT = {
    # correct: a standard normal weight is large, not wrong
    "normal": ("nn.init.normal_(self.first.weight)", BOTH),
    # correct: the last layer starts at zero
    "zero head": ("nn.init.zeros_(self.second.weight)", BOTH),
    # correct: one layer alike, the next one tells its units apart
    "constant first": ("nn.init.constant_(self.first.weight, 0.1)", BOTH),
    # correct: memory that is written before it is read
    "scratch": (
        "self.register_buffer('b', torch.empty(64, 4), persistent=False)",
        f"self.b[: len(x)].detach().clone().copy_(x) + {BOTH}",
    ),
    # correct: a mask of infinities is no parameter
    "mask": ("self.register_buffer('m', torch.tensor([0, 0, 0, float('-inf')]))", f"({BOTH} + self.m).softmax(-1)"),
    # correct: a gate that starts closed
    "gate": ("self.g = nn.Parameter(torch.zeros(4))", f"x + self.g * {BOTH}"),
    # correct: one number for each channel
    "affine": ("self.g = nn.Parameter(torch.ones(1, 4))", f"{BOTH} * self.g"),
}


@pytest.mark.parametrize(("init", "body"), CORRECT.values(), ids=CORRECT.keys())
def test_correct_modules(module_file: Callable[[str], str], init: str, body: str) -> None:
    outcome = _run(module_file, init, body)
    assert (outcome.status, outcome.findings) == ("passed", [])


def test_the_line_is_that_of_the_parameter(module_file: Callable[[str], str]) -> None:
    (finding,) = _run(module_file, "self.w = nn.Parameter(torch.empty(4))", f"{BOTH} * self.w").findings
    assert finding.location is not None
    assert finding.location.line == 9


def test_the_mode_of_torch_is_left_as_it_was(module_file: Callable[[str], str]) -> None:
    _run(module_file)
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("target", ["torch.nn.functional:relu", "torch.nn:ReLU"])
def test_what_has_no_state_is_skipped(target: str) -> None:
    assert run_one("initialisation", target, inputs={"input": "float[N]"}).status == "skipped"


def test_scratch_memory_may_hold_anything(module_file: Callable[[str], str]) -> None:
    # correct: a buffer that nothing has written yet
    for _ in range(3):
        waste = [torch.full((4096,), float(i)) for i in range(8)]
        del waste
        init = "self.register_buffer('cache', torch.empty(4096), persistent=False)"
        assert _run(module_file, init).findings == []
