import re
from collections.abc import Callable
from typing import Any

import pytest

from verifykit.testing import run_one

# Each planted bug, with the sizes that must be found and a word of the message.
BUGS = {
    # bug: squeeze loses the batch dimension at one sample
    "squeeze": ("return self.linear(x).squeeze()", {"N": 1}, r"shape \[\] where \[1\]"),
    # bug: a hard-coded batch size in a reshape
    "reshape": ("return x.reshape(3, -1) if len(x) % 3 == 0 else x", {"N": 6}, r"shape \[3, 8\] where \[6, 4\]"),
    # bug: drops the last sample of larger batches
    "drops": ("return x[:9]", {"N": 10}, r"shape \[9, 4\] where \[10, 4\]"),
    # bug: one sample gets an unbatched result
    "unbatched": ("return x[0] if len(x) == 1 else x", {"N": 1}, r"shape \[4\] where \[1, 4\]"),
}

MODULE = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 1)
    def forward(self, x):
        {body}
"""


@pytest.mark.parametrize(("body", "sizes", "message"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], body: str, sizes: dict[str, int], message: str) -> None:
    outcome = run_one("shape-contract", f"{module_file(MODULE.format(body=body))}:Layer", inputs={"x": "float[N, 4]"})
    (finding,) = outcome.findings
    assert finding.severity == "error"
    assert finding.evidence["sizes"] == sizes
    assert re.search(message, finding.message)
    assert finding.location is not None
    # The line at which the ranks part; forward itself where they do not.
    assert finding.location.line == (10 if "squeeze" in body or "[0]" in body else 9)


def test_a_size_that_is_refused_is_an_error_unless_it_is_an_edge(module_file: Callable[[str], str]) -> None:
    body = "assert x.shape[0] != {size}, 'not this size'; return x"
    for size, severity in ((10, "error"), (1, "warning"), (0, "warning")):
        source = MODULE.format(body=body.format(size=size))
        outcome = run_one("shape-contract", f"{module_file(source)}:Layer", inputs={"x": "float[N, 4]"})
        (finding,) = outcome.findings
        assert (finding.severity, finding.evidence["sizes"]) == (severity, {"N": size})
        assert "AssertionError: not this size" in finding.message


# correct: layers whose output shape follows a law
CORRECT: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("torch.nn:Linear", {"in_features": 4, "out_features": 2}, {"input": "float[N, 4]"}),
    ("torch.nn:Flatten", {}, {"input": "float[N, A, B]"}),
    ("torch.nn:BatchNorm1d", {"num_features": 4}, {"input": "float[N, 4]"}),
    ("torch.nn:Embedding", {"num_embeddings": 9, "embedding_dim": 4}, {"input": "long[N, L] in below 9"}),
    ("torch.nn:MSELoss", {}, {"input": "float[N, D]", "target": "float[N, D]"}),
    ("torch.nn.functional:softplus", {}, {"input": "float[N]"}),
    # correct: a convolution whose length is long enough for its kernel at every drawn size
    (
        "torch.nn:Conv1d",
        {"in_channels": 3, "out_channels": 4, "kernel_size": 3, "padding": 1},
        {"input": "float[N, 3, L]"},
    ),
]


@pytest.mark.parametrize(
    ("target", "init", "inputs"), CORRECT, ids=lambda value: value if isinstance(value, str) else ""
)
def test_correct_modules(target: str, init: dict[str, Any], inputs: dict[str, str]) -> None:
    outcome = run_one("shape-contract", target, init=init, inputs=inputs)
    assert outcome.status == "passed", outcome
    assert outcome.verified


def test_nothing_symbolic_is_skipped() -> None:
    outcome = run_one("shape-contract", "torch.nn:ReLU", inputs={"input": "float[3]"})
    assert outcome.status == "skipped"
    assert "symbolic" in (outcome.reason or "")


def test_no_law_is_inconclusive(module_file: Callable[[str], str]) -> None:
    source = "def positive(x):\n    return x[x > 0]\n"
    outcome = run_one("shape-contract", f"{module_file(source)}:positive", inputs={"x": "float[N]"})
    assert outcome.status == "inconclusive"
