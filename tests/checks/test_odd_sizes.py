from collections.abc import Callable
from typing import Any

import pytest

from verifykit.testing import run_one

MODULE = """
class Layer(nn.Module):
    def forward(self, x):
        n, l = x.shape[:2]
        {body}
"""


def run(module_file: Callable[[str], str], body: str, text: str = "float[N, L, 4]") -> Any:
    return run_one("odd-sizes", f"{module_file(MODULE.format(body=body))}:Layer", inputs={"x": text})


BUGS = [
    # bug: whole windows of three only
    ("return x[:, :l // 3 * 3].reshape(n, -1, 12)", "the last 2 of 8 positions", "__getitem__"),
    ("return x.unfold(1, 4, 4).mean(-1)", "the last 3 of 7 positions", "unfold"),  # bug: the same, of four
    (
        "h = l // 2; return x[:, :h] * x[:, -h:]",
        "positions [3] of 7",
        "__getitem__",
    ),  # bug: neither half has the middle
    # bug: the same of one number for the whole batch, which takes a call for each position
    ("return x[:, :l // 4 * 4].square().mean()", "the last 3 of 7 positions", "__getitem__"),
]


@pytest.mark.parametrize(("body", "told", "operation"), BUGS)
def test_bugs(module_file: Callable[[str], str], body: str, told: str, operation: str) -> None:
    (finding,) = run(module_file, body).findings
    assert finding.severity == "warning"
    assert told in finding.message
    assert finding.evidence["lost in"] == operation
    assert finding.location.line == 8


def test_what_a_pooling_loses_is_a_note(module_file: Callable[[str], str]) -> None:
    (finding,) = run(module_file, "return F.max_pool1d(x, 3)", "float[N, 4, L]").findings
    assert finding.severity == "note"
    assert finding.evidence["lost in"] == "max_pool1d"


def test_one_line_that_cuts_height_and_width_is_one_finding(module_file: Callable[[str], str]) -> None:
    body = "return F.conv2d(x, torch.ones(2, 4, 4, 4, dtype=x.dtype), stride=4)"
    (finding,) = run(module_file, body, "float[N, 4, H, W]").findings
    assert (finding.severity, finding.evidence["lost in"]) == ("warning", "conv2d")


def test_odd_sizes_that_are_not_kept(module_file: Callable[[str], str]) -> None:
    # bug: halved rounding up, and doubled
    body = "return F.interpolate(F.max_pool1d(x, 2, ceil_mode=True), scale_factor=2)"
    (finding,) = run(module_file, body, "float[N, 4, L]").findings
    assert finding.severity == "warning"
    assert "at L = 9 an output dimension has size 10" in finding.message


def test_sizes_between(module_file: Callable[[str], str]) -> None:
    # 7 is the usual size, so that it must be taken.
    body = "y = x if l == 7 else x.reshape(n, -1, 8); return y.sum((1, 2))"
    (finding,) = run(module_file, body).findings
    assert finding.severity == "note"
    assert "without saying what it expects: L = 9" in finding.message
    body = "assert l == 7 or l % 2 == 0, 'even only'; return x"
    assert run(module_file, body).findings == []


# correct: every position counts, or fewer do at every size, by intent
CORRECT = [
    ("return x", "float[N, L, 4]"),
    ("return F.pad(x, (0, 0, 0, -l % 3)).reshape(n, -1, 12)", "float[N, L, 4]"),
    ("return x.amax(1)", "float[N, L, 1]"),  # correct: a maximum hides most of them, most of the time
    ("return x.median(1).values", "float[N, L, 4]"),
    ("return F.max_pool1d(x, 2, ceil_mode=True)", "float[N, 4, L]"),
    ("return x[:, ::2]", "float[N, L, 4]"),  # correct: every other one is left out at even and odd sizes
    ("return x[:, -1]", "float[N, L, 4]"),
    ("return x.unfold(1, 3, 1)", "float[N, L, 4]"),
    ("return x.float().mean(1)", "long[N, L] in below 5"),
]


@pytest.mark.parametrize(("body", "text"), CORRECT)
def test_correct_modules(module_file: Callable[[str], str], body: str, text: str) -> None:
    outcome = run(module_file, body, text)
    assert outcome.status in ("passed", "skipped"), outcome
    assert outcome.findings == []


def test_where_it_does_not_apply(module_file: Callable[[str], str]) -> None:
    assert run(module_file, "return x", "float[N, 4]").status == "skipped"
    outcome = run(module_file, "return x[:, 0]")
    assert outcome.status == "skipped"
    assert "no end to lose" in outcome.reason
