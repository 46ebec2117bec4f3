from collections.abc import Callable

import pytest

from verifykit.testing import run_one

X = {"x": "float[N, 4]"}

BUGS = {
    # bug: written into real numbers
    "written": ("torch.zeros(x.shape, dtype=torch.float64).copy_(x) * 2", "is dropped on the way"),
    # bug: the real part of one of two
    "one of two": ("torch.stack([x.abs(), x.to(torch.float64)])", "with no more than a warning"),
    # bug: a square where a square of the magnitude is due, of complex numbers alone
    "zero": ("x * x if x.is_complex() else x * 2", "output is not that of the same real inputs"),
}


@pytest.mark.parametrize(("body", "said"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], body: str, said: str) -> None:
    (finding,) = run_one("complex", f"{module_file(f'def layer(x): return {body}')}:layer", inputs=X).findings
    assert finding.severity == "warning"
    assert said in finding.message


CORRECT = [
    # correct: the magnitude is real
    "x.abs() + x.angle()",
    # correct: roots of negative numbers
    "torch.sqrt(x).sum(-1) if x.is_complex() else torch.sqrt(x).sum(-1)",
    # correct: both parts are used
    "torch.stack([x.real, x.imag]) if x.is_complex() else torch.stack([x, torch.zeros_like(x)])",
    # correct: a spectrum, which is complex of real inputs too
    "torch.fft.fft(x)",
]


@pytest.mark.parametrize("body", CORRECT)
def test_correct(module_file: Callable[[str], str], body: str) -> None:
    outcome = run_one("complex", f"{module_file(f'def layer(x): return {body}')}:layer", inputs=X)
    assert (outcome.status, outcome.findings) == ("passed", []), outcome


def test_refusing_is_right() -> None:
    assert run_one("complex", "torch.nn:ReLU", inputs={"input": "float[N]"}).status == "skipped"
