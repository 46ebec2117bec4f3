from collections.abc import Callable

import pytest

from verifykit.testing import run_one

MODULE = """
import random
import numpy as np
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.register_buffer("total", torch.zeros(()))
        self.calls = 0
        self.table = None
    def forward(self, x):
{body}
"""

# correct: a second forward is the same function as the first, for all that matters
CORRECT = {
    # correct: dropout, which draws from torch's generator
    "dropout": "        return F.dropout(self.linear(x), 0.5, self.training)",
    # correct: a table without gradient, computed at the first call
    "cached table": (
        "        if self.table is None:\n"
        "            self.table = torch.arange(4, dtype=x.dtype).sin()\n"
        "        return self.linear(x + self.table)"
    ),
    # correct: written to in place, yet the same once more
    "idempotent": "        return self.linear(x.clamp_(-1, 1))",
    # correct: draws from Python's generator in eval mode only
    "random in eval": "        return self.linear(x) * (1 if self.training else random.random())",
}


def _path(module_file: Callable[[str], str], body: str) -> str:
    return f"{module_file(MODULE.format(body=body))}:Layer"


@pytest.mark.parametrize("body", CORRECT.values(), ids=CORRECT.keys())
def test_correct_modules(module_file: Callable[[str], str], body: str) -> None:
    outcome = run_one("checkpoint", _path(module_file, body), inputs={"x": "float[N, 4]"})
    assert (outcome.status, outcome.findings) == ("passed", []), outcome


def test_the_line_and_the_state_are_named(module_file: Callable[[str], str]) -> None:
    # bug: every forward is another one, by a Python counter
    body = "        self.calls += 1\n        y = self.linear(x)\n        return (y * self.calls).sin()"
    (finding,) = run_one("checkpoint", _path(module_file, body), inputs={"x": "float[N, 4]"}).findings
    assert finding.severity == "warning"
    assert finding.location is not None
    assert finding.location.line == 17
    assert finding.evidence["state that the first forward changed"] == "calls"


def test_numpy_masks_are_caught_even_where_a_draw_may_repeat(module_file: Callable[[str], str]) -> None:
    # bug: one toss in ten differs, and draws are those of NumPy
    body = "        y = self.linear(x)\n        return (y * 2 if np.random.rand() < 0.1 else y).sin()"
    assert run_one("checkpoint", _path(module_file, body), inputs={"x": "float[N, 4]"}).status == "failed"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("        self.total += x.detach().mean()\n        return self.linear(x)", "total"),
        ("        self.calls += 1\n        return self.linear(x)", "calls"),
        # correct: a number that the graph of the first forward keeps
        ("        self.calls += 1\n        return self.linear(x) * self.calls", "calls"),
        ("        np.random.rand()\n        return self.linear(x)", "NumPy's random generator"),
    ],
)
def test_state_that_changes_twice_without_effect_is_a_note(
    module_file: Callable[[str], str], body: str, told: str
) -> None:
    outcome = run_one("checkpoint", _path(module_file, body), inputs={"x": "float[N, 4]"})
    assert outcome.status == "passed"
    assert [finding.severity for finding in outcome.findings] == ["note"]
    assert told in outcome.findings[0].message


def test_where_it_does_not_apply(module_file: Callable[[str], str]) -> None:
    refuses = "        if self.training:\n            raise ValueError('for inference')\n        return self.linear(x)"
    outcome = run_one("checkpoint", _path(module_file, refuses), inputs={"x": "float[N, 4]"})
    assert (outcome.status, "for inference" in (outcome.reason or "")) == ("skipped", True)
    assert run_one("checkpoint", "torch:argmax", inputs={"input": "float[N]"}).status == "skipped"


def test_chance_is_not_mistaken_for_checkpointing(module_file: Callable[[str], str]) -> None:
    body = "        import os\n        return self.linear(x) * int.from_bytes(os.urandom(4), 'big')"
    assert run_one("checkpoint", _path(module_file, body), inputs={"x": "float[N, 4]"}).status == "inconclusive"
