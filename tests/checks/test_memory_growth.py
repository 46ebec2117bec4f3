from collections.abc import Callable

import pytest

from verifykit.testing import run_one

MODULE = """
class Layer(nn.Module):
    def forward(self, x):
        {body}
"""
BUGS = {
    # bug: a mask of all pairs of samples, from which the diagonal is taken
    "mask": "return x * torch.eye(len(x), dtype=torch.bool).sum(0)[:, None]",
    # bug: all pairs of differences for a mean
    "pairs": "return (x[:, None] - x[None]).square().mean()",
    # bug: a scale written as a dense matrix
    "diagonal": "return torch.diag_embed(x[:, 0]) @ x",
}


@pytest.mark.parametrize("body", BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], body: str) -> None:
    outcome = run_one("memory-growth", f"{module_file(MODULE.format(body=body))}:Layer", inputs={"x": "float[N, 4]"})
    (finding,) = outcome.findings
    assert finding.severity == "warning"
    assert "N**2" in finding.message
    assert finding.location is not None
    assert finding.location.line == 7


CORRECT = {
    # correct: attention is work of the square of its length, and so is what is returned
    "attention": ("return (x @ x.mT).softmax(-1) @ x", "float[N, L, 4]"),
    "returned": ("return x[:, None] - x[None]", "float[N, 4]"),
    # correct: what comes in has the square
    "adjacency": ("return x.tril().sum()", "float[N, N]"),
    # correct: one row at a time, and each is gone before the next
    "rows": ("return torch.stack([(x - row).square().sum() for row in x])", "float[N, 4]"),
    "padded": ("return F.pad(x, (0, 0, 0, -len(x) % 8)).sum()", "float[N, 4]"),
}


@pytest.mark.parametrize(("body", "shape"), CORRECT.values(), ids=CORRECT.keys())
def test_correct_modules(module_file: Callable[[str], str], body: str, shape: str) -> None:
    outcome = run_one("memory-growth", f"{module_file(MODULE.format(body=body))}:Layer", inputs={"x": shape})
    assert (outcome.status, outcome.findings) == ("passed", []), outcome


def test_sizes_that_cannot_grow(module_file: Callable[[str], str]) -> None:
    path = module_file(MODULE.format(body="assert len(x) < 10; return x"))
    assert run_one("memory-growth", f"{path}:Layer", inputs={"x": "float[N, 4]"}).status == "inconclusive"
    assert run_one("memory-growth", f"{path}:Layer", inputs={"x": "float[3, 4]"}).status == "skipped"
