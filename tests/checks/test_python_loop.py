from collections.abc import Callable

import pytest

from verifykit.testing import run_one

MODULE = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.cell, self.lstm = nn.Linear(4, 4), nn.GRUCell(4, 4), nn.LSTM(4, 4, batch_first=True)
    def forward(self, x):
        {body}
"""
CASES = {
    # bug: samples, one after the other
    "samples": ("return torch.stack([self.linear(one).tanh() for one in x])", "warning", "2*N"),
    # bug: steps that need not wait for one another
    "steps": ("return torch.cat([self.linear(x[:, t]) for t in range(x.shape[1])], -1)", "warning", "2*L"),
    "pairs": ("return sum((a - b).abs().sum() for a in x for b in x)", "warning", "faster than N"),
    # correct: a recurrence cannot do without its steps, which is worth knowing
    "recurrence": (
        "h = x[:, 0]\n        for step in x.unbind(1): h = self.cell(step, h)\n        return h", "note", "1*L"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "severity", "law"), CASES.values(), ids=CASES.keys())
def test_loops(module_file: Callable[[str], str], body: str, severity: str, law: str) -> None:
    outcome = run_one("python-loop", f"{module_file(MODULE.format(body=body))}:Layer", inputs={"x": "float[N, L, 4]"})
    (finding,) = outcome.findings
    assert finding.severity == severity
    assert law in finding.message
    assert finding.location is not None


@pytest.mark.parametrize(
    "body",
    [
        "return self.lstm(x)[0]",  # correct: the loop over steps is torch's own
        "for _ in range(5): x = self.linear(x)\n        return x",  # correct: as often at every size
        "while x.shape[1] > 1: x = x[:, : x.shape[1] // 2]\n        return x",  # correct: halving
        "return torch.cat([self.linear(part) for part in x.split(64)])",  # correct: chunks of 64
    ],
)
def test_correct_modules(module_file: Callable[[str], str], body: str) -> None:
    outcome = run_one("python-loop", f"{module_file(MODULE.format(body=body))}:Layer", inputs={"x": "float[N, L, 4]"})
    assert (outcome.status, outcome.findings) == ("passed", []), outcome


def test_no_size_to_vary() -> None:
    assert run_one("python-loop", "torch.nn:ReLU", inputs={"input": "float[3, 4]"}).status == "skipped"
