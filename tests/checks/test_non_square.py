from collections.abc import Callable
from typing import Any

import pytest

from verifykit.testing import run_one

MODULE = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.line = nn.Conv1d(4, 4, 3, padding=1)
    def forward(self, x):
        n, c, h, w = x.shape
        {body}
"""


def run(module_file: Callable[[str], str], body: str, text: str = "float[N, 4, H, W]", more: str = "") -> Any:
    path = module_file(MODULE.format(body=body) + more)
    return run_one("non-square", f"{path}:Layer", inputs={"x": text} if text else {})


BUGS = [
    # bug: scrambled before a convolution, and put back
    ("return self.conv(x.reshape(n, c, w, h)).reshape(x.shape)", "error", "mixes positions"),
    # bug: the same where the last thing seen of the image is one column
    ("return self.conv(x.reshape(n, c, w, h)).amax(-1)", "error", "mixes positions"),
    ("return F.interpolate(x, size=(w, h))", "error", "sizes are swapped"),  # bug: width before height
    ("return F.interpolate(x, size=(w, w))", "warning", "size of W along both"),
    ("return x.sum((2, 3)) / (h * h)", "warning", "counts for both|seems to count"),
]


@pytest.mark.parametrize(("body", "severity", "told"), BUGS)
def test_bugs(module_file: Callable[[str], str], body: str, severity: str, told: str) -> None:
    (finding,) = run(module_file, body).findings
    assert finding.severity == severity
    assert any(part in finding.message for part in told.split("|")) or "one side" in finding.message


# correct: rotations, transposes, global and raster-order modules, crops and resizes
CORRECT = [
    "return self.conv(x)",
    "return self.conv(x).mT",
    "return torch.rot90(self.conv(x), 1, (2, 3))",
    "return torch.fft.fft2(x).abs()",
    "return F.interpolate(x, scale_factor=2)",
    "return F.interpolate(x, size=(h, w // 2 + 1), mode='bilinear')",
    # correct: in raster order, which keeps rows and columns together on squares too
    "return x.flatten(2).cumsum(-1).view_as(x)",
    "return self.line(x.flatten(2)).view_as(x)",
    "return F.max_pool2d(self.conv(x).relu(), 2, ceil_mode=True)",
    "return x.flatten(2) @ x.flatten(2).mT / (h * w)",
    # correct: depends on the shape of the image on purpose
    "return x if h >= w else x.mT",
    "return x.mean((2, 3)) + torch.linspace(-1, 1, h * w).std()",
    "return F.unfold(x, 3, padding=1)",
]


@pytest.mark.parametrize("body", CORRECT)
def test_correct_modules(module_file: Callable[[str], str], body: str) -> None:
    outcome = run(module_file, body)
    assert (outcome.status, outcome.findings) == ("passed", []), outcome
    assert outcome.verified


def test_squares_only(module_file: Callable[[str], str]) -> None:
    broken = "return self.conv(x) + torch.eye(w, dtype=x.dtype)"
    (finding,) = run(module_file, broken, "").findings
    assert finding.severity == "warning"
    assert "squares only" in finding.message
    # Refused in its own words, or declared: no warning.
    (finding,) = run(module_file, "assert h == w, 'square images'; " + broken, "").findings
    assert finding.severity == "note"
    assert run(module_file, broken, "float[N, 4, S, S]").status == "skipped"


def test_where_there_is_no_plane() -> None:
    outcome = run_one("non-square", "torch.nn:ReLU", inputs={"input": "float[N, L]"})
    assert outcome.status == "skipped"
