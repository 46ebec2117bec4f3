import re
from collections.abc import Callable
from typing import Any

import pytest

from verifykit.testing import run_one

# Each planted bug, with the sizes that must be found and a word of the message.
BUGS = {
    # bug: a hard-coded batch size in a reshape
    "reshape": ("return x.reshape(3, -1) if len(x) % 3 == 0 else x", {"N": 6}, r"shape \[3, 8\] where \[6, 4\]"),
    # bug: drops the last sample of larger batches
    "drops": ("return x[:9]", {"N": 10}, r"shape \[9, 4\] where \[10, 4\]"),
    # bug: drops the last sample of batches that are larger than any that is drawn
    "drops far out": ("return x[:64]", {"N": 65}, r"shape \[64, 4\] where \[65, 4\]"),
    # bug: two samples get an unbatched result
    "unbatched": ("return x[0] if len(x) == 2 else x", {"N": 2}, r"shape \[4\] where \[2, 4\]"),
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
    assert finding.location.line == (10 if "[0]" in body else 9)


def test_a_lost_dimension_of_a_sequence_is_shrunk_and_located(module_file: Callable[[str], str]) -> None:
    # bug: squeeze loses the time dimension of sequences of one step
    source = MODULE.format(body="return self.linear(x).squeeze()")
    outcome = run_one("shape-contract", f"{module_file(source)}:Layer", inputs={"x": "float[N, L, 4]"})
    (finding,) = outcome.findings
    assert (finding.severity, finding.evidence["sizes"]) == ("error", {"N": 2, "L": 1})
    assert finding.location is not None
    assert finding.location.line == 10


@pytest.mark.parametrize(
    ("body", "severity", "told"),
    [
        # One size in the midst: broken, or refused in so many words.
        (
            "x.new_zeros(10 - len(x) if len(x) < 10 else 1).view(-1, *([0] * (len(x) == 10))); return x",
            "error",
            "N = 10",
        ),
        ("assert len(x) != 10, 'not this size'; return x", "warning", "AssertionError: not this size"),
        # A batch of limited size: broken, or refused in so many words.
        ("return x + x.new_zeros(16, 4)[:len(x)]", "warning", "takes N up to 16 only: at N = 3, N = 17"),
        ("assert len(x) <= 16, 'too many'; return x", "note", "takes N up to 16 only"),
        # Pairs of samples: refused in so many words.
        (
            "assert len(x) in (3, 4) or len(x) % 2 == 0, 'pairs'; return x",
            "note",
            "takes N = 2, 3, 4, 6, 8, 10, … only",
        ),
    ],
)
def test_sizes_that_are_refused(module_file: Callable[[str], str], body: str, severity: str, told: str) -> None:
    path = module_file(MODULE.format(body=body))
    outcome = run_one("shape-contract", f"{path}:Layer", inputs={"x": "float[N, 4]"})
    (finding,) = outcome.findings
    assert finding.severity == severity, finding
    assert told.replace("N = 3, N", "N") in finding.message


@pytest.mark.parametrize("size", [0, 1])
def test_batches_of_one_and_of_none_are_left_to_their_own_checks(module_file: Callable[[str], str], size: int) -> None:
    path = module_file(MODULE.format(body=f"assert len(x) != {size}; return x"))
    outcome = run_one("shape-contract", f"{path}:Layer", inputs={"x": "float[N, 4]"})
    assert (outcome.status, outcome.findings) == ("passed", [])


def test_a_range_that_the_law_does_not_reach(module_file: Callable[[str], str]) -> None:
    # Cut at the end it is a warning; fewer than five have no five greatest, which is a note. # correct:
    cut = run_one(
        "shape-contract",
        f"{module_file(MODULE.format(body='return x[:, :16]'))}:Layer",
        inputs={"x": "float[N, L, 4]"},
    )
    assert [(f.severity, f.evidence["sizes"]["L"]) for f in cut.findings] == [("warning", 17)]
    path = module_file(MODULE.format(body="return x.topk(min(5, x.shape[1]), 1).values"))
    few = run_one("shape-contract", f"{path}:Layer", inputs={"x": "float[N, L]"})
    assert (few.status, [f.severity for f in few.findings]) == ("passed", ["note"])


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


def test_least_sizes_are_one_note() -> None:
    outcome = run_one(
        "shape-contract",
        "torch.nn:Conv2d",
        init={"in_channels": 2, "out_channels": 3, "kernel_size": [3, 2]},
        inputs={"input": "float[N, 2, H, W]"},
    )
    assert outcome.status == "passed"
    (finding,) = outcome.findings
    assert "takes H from 3, W from 2 only" in finding.message


STATE = """
class Layer(nn.Module):
    kept = None
    def forward(self, x):
        if self.kept is None:
            self.kept = torch.arange(len(x), dtype=x.dtype)
        {update}
        return x * self.kept[:, None]
"""


def test_what_is_kept_from_a_call_at_another_size(module_file: Callable[[str], str]) -> None:
    # bug: positions that are made at the first call only
    outcome = run_one("shape-contract", f"{module_file(STATE.format(update=''))}:Layer", inputs={"x": "float[N, 4]"})
    (finding,) = outcome.findings
    assert finding.severity == "error"
    assert "keeps something from an earlier call" in finding.message
    # A module that changes with every call keeps its state on purpose.
    path = module_file(STATE.format(update="self.kept = self.kept + x.mean(1)"))
    outcome = run_one("shape-contract", f"{path}:Layer", inputs={"x": "float[N, 4]"})
    assert [finding.severity for finding in outcome.findings] == ["warning"]


def test_nothing_symbolic_is_skipped() -> None:
    outcome = run_one("shape-contract", "torch.nn:ReLU", inputs={"input": "float[3]"})
    assert outcome.status == "skipped"
    assert "symbolic" in (outcome.reason or "")


@pytest.mark.parametrize("body", ["x[x > 0]", "x[:, :max(1, int(0.3 * x.shape[1]))]"])
def test_no_law_is_inconclusive(module_file: Callable[[str], str], body: str) -> None:
    inputs = {"x": "float[N, L]"}
    outcome = run_one("shape-contract", f"{module_file(f'def part(x):{chr(10)}    return {body}')}:part", inputs=inputs)
    assert outcome.status == "inconclusive", outcome
