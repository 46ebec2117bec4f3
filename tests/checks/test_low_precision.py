from collections.abc import Callable

import pytest

from verifykit.testing import run_one

X = {"x": "float[N, T, 6]"}

BUGS = {
    # bug: a sum of squares beyond 65504
    "overflow": ("x / (x ** 2).sum(-1, keepdim=True).add(1.0).sqrt()", "numbers overflow in"),
    # bug: an epsilon that float16 does not have
    "epsilon": ("x / (x.abs().sum(-1, keepdim=True) + 1e-9)", "in float16, for zeros, the output becomes nan"),
    # bug: positions beyond the integers of bfloat16
    "positions": (
        "x + torch.arange(x.shape[1], dtype=x.dtype)[:, None].sin()",
        "in bfloat16, for everyday values, T =",
    ),
}


@pytest.mark.parametrize(("body", "said"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], body: str, said: str) -> None:
    (finding,) = run_one("low-precision", f"{module_file(f'def layer(x): return {body}')}:layer", inputs=X).findings
    assert finding.severity == "warning"
    assert said in finding.message


CORRECT = [
    # correct: the true result does not fit either
    "(x ** 2).sum(-1)",
    # correct: scores grow with what they are made of
    "((x @ x.mT) / 6 ** 0.5).softmax(-1) @ x",
    # correct: the maximum is subtracted
    "x.softmax(-1) + x.logsumexp(-1, keepdim=True)",
    # correct: a decision may fall otherwise in three digits
    "torch.where(x > 0.1, x, -x) + x.round()",
]


@pytest.mark.parametrize("body", CORRECT)
def test_correct(module_file: Callable[[str], str], body: str) -> None:
    outcome = run_one("low-precision", f"{module_file(f'def layer(x): return {body}')}:layer", inputs=X)
    assert (outcome.status, outcome.findings) == ("passed", [])


def test_what_is_torchs_own_is_a_note() -> None:
    outcome = run_one("low-precision", "torch.nn:CosineSimilarity", inputs={"x1": "float[N, 6]", "x2": "float[N, 6]"})
    assert [finding.severity for finding in outcome.findings] == ["note"]


def test_no_kernels() -> None:
    inputs = {"input": "float[N, 2, 4, 4, 4]"}
    outcome = run_one("low-precision", "torch.nn:AvgPool3d", init={"kernel_size": 2}, inputs=inputs)
    assert outcome.status == "skipped"
    assert "torch lacks a kernel" in (outcome.reason or "")
