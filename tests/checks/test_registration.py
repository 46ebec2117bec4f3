from collections.abc import Callable

import pytest

from verifykit.testing import run_one

X = {"x": "float[N, 4]"}

LAYER = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
        {init}
    def forward(self, x):
        return {body}
"""

# name -> constructor, forward, severity, what the message names
BUGS = {
    # bug: a trainable tensor that is no parameter
    "plain leaf": ("self.gain = torch.ones(4, requires_grad=True)", "self.linear(x) * self.gain", "error", "self.gain"),
    # bug: computed from a parameter once
    "stale": ("self.half = self.linear.bias / 2", "self.linear(x) + self.half", "error", "self.half"),
    # bug: deep in an object of the user's own
    "in a dict of lists": (
        "self.bank = {'a': [nn.Parameter(torch.ones(4))]}", "self.linear(x) * self.bank['a'][0]", "error", "self.bank",
    ),
    # bug: a normaliser made in each call
    "constant parameter": ("pass", "self.linear(nn.LayerNorm(4).to(x)(x))", "warning", "shape [4]"),
    # bug: random, not persistent
    "unsaved": (
        "self.register_buffer('p', torch.randn(4), persistent=False)", "self.linear(x) + self.p", "error", "self.p",
    ),
    # bug: a table that stays on the CPU
    "table": ("self.table = torch.arange(4.0)", "self.linear(x) + self.table", "warning", "self.table"),
}  # fmt: skip


@pytest.mark.parametrize(("init", "body", "severity", "name"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], init: str, body: str, severity: str, name: str) -> None:
    path = module_file(LAYER.format(init=init, body=body))
    (finding,) = run_one("registration", f"{path}:Layer", inputs=X).findings
    assert finding.severity == severity
    assert name in finding.message
    assert finding.location is not None
    assert finding.location.line == (9 if init != "pass" else 11)


CORRECT = {
    # correct: moved where it is used
    "moved": ("self.table = torch.arange(4.0)", "self.linear(x) + self.table.to(x)"),
    # correct: a list of what is registered elsewhere
    "list of registered": ("self.order = [self.linear, self.linear]", "self.order[1](self.order[0](x))"),
    # correct: only its shape is used
    "shape alone": ("self.like = torch.randn(4)", "self.linear(x) + torch.zeros_like(self.like).to(x)"),
    # correct: it takes part in nothing
    "unused": ("self.note = torch.randn(4, requires_grad=True)", "self.linear(x)"),
    # correct: can be had again from the constructor
    "derived": ("self.register_buffer('p', torch.arange(4.0), persistent=False)", "self.linear(x) + self.p"),
    # correct: a number, which every device takes
    "number": ("self.two = torch.tensor(2.0)", "self.linear(x) * self.two"),
    # correct: weights that a network computes in the call
    "hyper": ("self.h = nn.Linear(4, 16)", "self.linear(x) @ self.h(x.mean(0)).view(4, 4)"),
    # correct: written, never read
    "kept": ("self.last = None", "setattr(self, 'last', self.linear(x)) or self.last"),
}


@pytest.mark.parametrize(("init", "body"), CORRECT.values(), ids=CORRECT.keys())
def test_correct_modules(module_file: Callable[[str], str], init: str, body: str) -> None:
    outcome = run_one("registration", f"{module_file(LAYER.format(init=init, body=body))}:Layer", inputs=X)
    assert (outcome.status, outcome.findings) == ("passed", [])


def test_a_global_is_found_and_left_as_it_was(module_file: Callable[[str], str]) -> None:
    # bug: a table in a global variable
    source = "TABLE = torch.arange(4.0)\n" + LAYER.format(init="pass", body="self.linear(x) + TABLE")
    source += (
        "\nclass Witness(Layer):\n    def forward(self, x):\n        return x[:, TABLE.tolist() != [0, 1, 2, 3] :]\n"
    )
    path = module_file(source)
    (finding,) = run_one("registration", f"{path}:Layer", inputs=X).findings
    assert finding.message.startswith("TABLE (a global variable)")
    assert run_one("registration", f"{path}:Witness", inputs=X).status == "passed"


def test_a_state_handed_from_call_to_call_is_a_note(module_file: Callable[[str], str]) -> None:
    body = "self.linear(x) + (0 if self.h is None else self.h)\n        self.h = y.detach()\n        return y"
    source = LAYER.format(init="self.h = None", body="0").replace("return 0", f"y = {body}")
    (finding,) = run_one("registration", f"{module_file(source)}:Layer", inputs={"x": "float[3, 4]"}).findings
    assert finding.severity == "note"


def test_undecided_where_the_meta_device_is_refused(module_file: Callable[[str], str]) -> None:
    body = "self.linear(x) * float(x.sum() > 0) + self.table"
    path = module_file(LAYER.format(init="self.table = torch.arange(4.0)", body=body))
    outcome = run_one("registration", f"{path}:Layer", inputs=X)
    assert outcome.status == "inconclusive"
    assert "self.table" in (outcome.reason or "")


def test_functions_are_skipped() -> None:
    assert run_one("registration", "torch.nn.functional:relu", inputs={"input": "float[N]"}).status == "skipped"
