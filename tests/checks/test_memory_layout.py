from collections.abc import Callable
from typing import Any

import pytest

from verifykit.testing import run_one

MODULE = """
class Layer(nn.Module):
    def forward(self, x):
        {body}
"""


def run(module_file: Callable[[str], str], body: str, text: str = "float[N, 4, 6]") -> Any:
    return run_one("memory-layout", f"{module_file(MODULE.format(body=body))}:Layer", inputs={"x": text})


BUGS = [
    ("return x.view(-1, 6)", "transposed"),  # bug: view of what is not contiguous
    # bug: strides taken for granted
    ("return x.as_strided(x.shape, (24, 6, 1)) + 0", "transposed"),
    # bug: the storage read from its beginning
    ("return torch.empty(0, dtype=x.dtype).set_(x.untyped_storage())[:x.numel()].view(x.shape) + 0", "transposed"),
    # bug: an offset forgotten where everything else is minded
    ("return x.as_strided(x.shape, x.stride(), 0) + 0", "a slice of a larger tensor"),
    # bug: written to in place, and back
    ("x.mul_(2); y = x.relu(); x.div_(2); return y", "expanded (stride 0)"),
]


@pytest.mark.parametrize(("body", "layout"), BUGS)
def test_bugs(module_file: Callable[[str], str], body: str, layout: str) -> None:
    (finding,) = run(module_file, body).findings
    assert finding.severity == "error"
    assert f"x is {layout}" in finding.message
    assert finding.evidence["input"] == "x"
    assert finding.location.line == 7


def test_a_refusal_in_its_own_words_is_a_warning(module_file: Callable[[str], str]) -> None:
    body = "assert x.is_contiguous(), 'contiguous only'; return x"
    (finding,) = run(module_file, body).findings
    assert finding.severity == "warning"
    assert "contiguous only" in finding.message


# correct: reshape copies where it must; other kernels round otherwise; what is written to is its own
CORRECT = [
    ("return x.reshape(-1, 6)", "float[N, 4, 6]"),
    ("return x.contiguous().view(-1, 6)", "float[N, 4, 6]"),
    ("return x @ x.mT, x.sum((0, 1)), x.logsumexp(-1)", "float[N, 40, 60]"),
    ("return F.conv2d(x, x[:3, :, :3, :3])", "float[N, 4, 9, 9]"),  # correct: another kernel for channels last
    ("x = x + 0; x.mul_(2); return x", "float[N, 4, 6]"),
    ("return x.as_strided(x.shape, x.stride(), x.storage_offset())", "float[N, 4, 6]"),
    ("return x.argmax(-1), {'n': len(x)}", "long[N, 4, 6] in below 9"),
    ("return torch.fft.fft(x)", "complex[N, 4]"),
    ("return x ^ x.roll(1, 0)", "bool[N, 4]"),
    # correct: in place for all to see, which purity judges
    ("return x.mul_(2)", "float[N, 4]"),
]


@pytest.mark.parametrize(("body", "text"), CORRECT)
def test_correct_modules(module_file: Callable[[str], str], body: str, text: str) -> None:
    outcome = run(module_file, body, text)
    assert (outcome.status, outcome.findings) == ("passed", []), outcome
    assert outcome.verified


def test_where_there_is_nothing_to_lay_out(module_file: Callable[[str], str]) -> None:
    assert run(module_file, "return x", "float[]").status == "skipped"
    assert run(module_file, "return None").status == "skipped"
