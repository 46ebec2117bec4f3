from collections.abc import Callable

import pytest

from verifykit.testing import run_one

MODULE = """
KEPT = []
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.kept, self.last = [], None
        self.register_buffer("scratch", torch.zeros(4))
    def forward(self, x):
        y = self.linear(x)
        {body}
"""
BUGS = {
    # bug: what fits the first batch alone
    "first size": ("self.last = self.last if self.last is not None else y[:, 0] * 0; return y.T + self.last", "error"),
    # bug: the first batch's own values are kept
    "first values": ("self.last = self.last or float(y.mean()); return y - self.last", "error"),
    # bug: a product of parameters outlives their update
    "product": ("self.last = self.last or float(self.linear.weight.sum()); return y * self.last", "error"),
    # bug: lists that nobody empties: on the module, in the file; with and without the graph
    "graph": ("self.kept.append(y); return y", "error"),
    "detached": ("self.kept.append(y.detach()); return y", "warning"),
    "file": ("KEPT.append(y.detach()); return y", "warning"),
    "numbers": ("self.kept.append(1.0); return y", "warning"),
    # bug: a scratch buffer that the backward of the last call needs
    "scratch": ("self.scratch.copy_(y.detach().mean(0)); return y * self.scratch", "warning"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "severity"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], body: str, severity: str) -> None:
    outcome = run_one("state-leak", f"{module_file(MODULE.format(body=body))}:Layer", inputs={"x": "float[N, 4]"})
    (finding,) = outcome.findings
    assert finding.severity == severity, finding


@pytest.mark.parametrize("body", ["self.kept.append(y); return y", "self.kept.append(1.0); return y"])
def test_the_line_is_named(module_file: Callable[[str], str], body: str) -> None:
    path = module_file(MODULE.format(body=body.replace("; return", "\n        return")))
    (finding,) = run_one("state-leak", f"{path}:Layer", inputs={"x": "float[N, 4]"}).findings
    assert "kept" in finding.message
    assert finding.location is not None
    assert finding.location.line in (13, 14)


# correct: caches under the right key, a bounded history, what the trainer reads after the call
CORRECT = {
    "cache": "self.last = torch.ones(len(x)) if self.last is None or len(self.last) != len(x) else self.last\n"
    "        return y.T * self.last",
    "bounded": "self.kept = [*self.kept, y.detach()][-1:]; return y",
    # correct: an auxiliary loss, with its graph, until the next call
    "auxiliary": "self.last = y.square().mean(); return y",
    "counter": "self.last = (self.last or 0) + 1; return y",
    "integers": "return y.argmax(-1)",
}


@pytest.mark.parametrize("body", CORRECT.values(), ids=CORRECT.keys())
def test_correct_modules(module_file: Callable[[str], str], body: str) -> None:
    outcome = run_one("state-leak", f"{module_file(MODULE.format(body=body))}:Layer", inputs={"x": "float[N, 4]"})
    assert outcome.status == "passed", outcome


def test_no_tensor_to_compare(module_file: Callable[[str], str]) -> None:
    source = "def shape(x):\n    return tuple(x.shape)\n"
    assert run_one("state-leak", f"{module_file(source)}:shape", inputs={"x": "float[N]"}).status == "skipped"
