from collections.abc import Callable

import pytest

from verifykit.testing import run_one

BUGS = {
    # bug: dropout that does not know of eval mode
    "dropout": ("return F.dropout(self.linear(x), 0.5)", "random generator", 11),
    # bug: noise that is always added, which some mean
    "noise": ("return x + torch.randn_like(x) * 1e-12", "random generator", 11),
    # bug: a counter changes the output from call to call
    "state": ("self.calls += 1; return x * self.calls", "state is kept", 11),
    # bug: what was seen last time leaks into this output
    "memory": ("y = x + self.last; self.last = x.mean(); return y", "state is kept", 11),
}

MODULE = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.calls = self.last = 0
    def forward(self, x):
        {body}
"""


@pytest.mark.parametrize(("body", "cause", "line"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], body: str, cause: str, line: int) -> None:
    outcome = run_one("determinism", f"{module_file(MODULE.format(body=body))}:Layer", inputs={"x": "float[N, 4]"})
    (finding,) = outcome.findings
    assert finding.severity == ("warning" if "randn" in body else "error")
    assert cause in finding.message
    assert finding.location is not None
    assert finding.location.line == line


# correct: random in training only, recurrent state kept inside a call, and outputs that are NaN every time
CORRECT = {
    "dropout": "return F.dropout(x, 0.5, self.training)",
    "fresh": "h = torch.zeros_like(x)\n        for _ in range(3): h = torch.tanh(h + x)\n        return h",
    # correct: NaN equals NaN here
    "nan": "return torch.log(x - x.max() - 1)",
    "inplace": "return x.mul_(2)",
}


@pytest.mark.parametrize("body", CORRECT.values(), ids=CORRECT.keys())
def test_correct_modules(module_file: Callable[[str], str], body: str) -> None:
    outcome = run_one("determinism", f"{module_file(MODULE.format(body=body))}:Layer", inputs={"x": "float[N, 4]"})
    assert outcome.status == "passed", outcome


def test_no_tensor_to_compare(module_file: Callable[[str], str]) -> None:
    source = "def shape(x):\n    return tuple(x.shape)\n"
    assert run_one("determinism", f"{module_file(source)}:shape", inputs={"x": "float[N]"}).status == "skipped"
