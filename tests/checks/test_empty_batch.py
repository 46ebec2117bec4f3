from collections.abc import Callable
from typing import Any

import pytest

from verifykit.testing import run_one

MODULE = """
class Layer(nn.Module):
    def forward(self, x):
        {body}
"""


def run(module_file: Callable[[str], str], body: str, shape: str = "N, 4") -> Any:
    path = module_file(MODULE.format(body=body))
    return run_one("empty-batch", f"{path}:Layer", inputs={"x": f"float[{shape}]"})


@pytest.mark.parametrize(
    ("body", "severity", "told"),
    [
        ("return x if len(x) else x.new_zeros(4)", "error", "[4] where [0, 4]"),  # bug: a lost dimension
        ("return x if len(x) else x.new_zeros(1, 4)", "error", "[1, 4] where [0, 4]"),  # bug: a sample out of nothing
        ("return x if len(x) else x.new_zeros(0, 3)", "warning", "[0, 3] where [0, 4]"),
        ("return x if len(x) else torch.zeros(0, 4, dtype=torch.half)", "warning", "torch.float16 for an empty batch"),
        ("return torch.stack(list(x))", "warning", "raises"),
        ("return x.mean(0)", "note", "not finite"),
    ],
)
def test_bugs(module_file: Callable[[str], str], body: str, severity: str, told: str) -> None:
    (finding,) = run(module_file, body).findings
    assert finding.severity == severity
    assert told in finding.message


# correct: empty in, empty out; sums over nothing are zero
CORRECT = ["return x", "return x.sum()", "return x.sum(0), x.argmax(-1)", "return x.T", "return x.flatten(1).relu()"]


@pytest.mark.parametrize("body", CORRECT)
def test_correct_modules(module_file: Callable[[str], str], body: str) -> None:
    outcome = run(module_file, body)
    assert (outcome.status, outcome.findings) == ("passed", [])
    assert outcome.verified


def test_a_wrong_size_of_torch_itself_is_no_error() -> None:
    outcome = run_one(
        "empty-batch", "torch.nn:PixelUnshuffle", init={"downscale_factor": 2}, inputs={"input": "float[N, 4, 6, 6]"}
    )
    assert [finding.severity for finding in outcome.findings] in (["warning"], [])


def test_no_batch_is_skipped(module_file: Callable[[str], str]) -> None:
    assert run(module_file, "return x", "3, 4").status == "skipped"


def test_a_graph_without_nodes_has_no_edges_to_feed(module_file: Callable[[str], str]) -> None:
    source = "def gather(x, source):\n    return x[source].sum(0) + x\n"
    inputs = {"x": "float[N, 4]", "source": "long[E] in below N"}
    outcome = run_one("empty-batch", f"{module_file(source)}:gather", inputs=inputs)
    assert outcome.status == "skipped"
    assert "no index below N" in (outcome.reason or "")
