from collections.abc import Callable

import pytest

from verifykit.testing import run_one

FUNCTION = """
from torch.autograd.function import once_differentiable

class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        {save}
        return x**3
    {decorator}
    @staticmethod
    def backward(ctx, grad):
        {load}
        return {result}
"""

SAVED = {"save": "ctx.save_for_backward(x)", "load": "(x,) = ctx.saved_tensors", "decorator": ""}

BUGS = {
    # bug: the input is hidden from autograd on the context
    "hidden": {
        "save": "ctx.x = x.detach()",
        "load": "x = ctx.x.detach()",
        "result": "3 * x**2 * grad",
        "decorator": "",
    },
    # bug: a detach in the backward
    "detached": {**SAVED, "result": "3 * x.detach()**2 * grad"},
    # bug: the cotangent is detached, so that the backward is not linear in it as autograd sees it
    "cotangent": {**SAVED, "result": "3 * x**2 * grad.detach()"},
}


@pytest.mark.parametrize("parts", BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], parts: dict[str, str]) -> None:
    outcome = run_one("double-backward", f"{module_file(FUNCTION.format(**parts))}:Cube", inputs={"x": "float[N]"})
    assert outcome.findings
    assert {finding.severity for finding in outcome.findings} == {"error"}


def test_a_refusal_is_a_note(module_file: Callable[[str], str]) -> None:
    # correct: says itself that it can be differentiated once only
    source = FUNCTION.format(**{**SAVED, "decorator": "", "result": "3 * x**2 * grad"})
    source = source.replace(
        "    @staticmethod\n    def backward", "    @staticmethod\n    @once_differentiable\n    def backward"
    )
    outcome = run_one("double-backward", f"{module_file(source)}:Cube", inputs={"x": "float[N]"})
    assert outcome.status == "passed"
    assert [finding.severity for finding in outcome.findings] == ["note"]
    assert "once_differentiable" in outcome.findings[0].message


@pytest.mark.parametrize("target", ["torch:tanh", "torch:relu", "torch.nn:Softmax"])
def test_correct_modules(module_file: Callable[[str], str], target: str) -> None:
    # correct: built-ins, smooth, piecewise linear, and over several elements
    outcome = run_one("double-backward", target, inputs={"input": "float[N, 4]"})
    assert outcome.status == "passed"
    assert not outcome.findings


def test_a_correct_function(module_file: Callable[[str], str]) -> None:
    # correct: saved by save_for_backward, so the second derivative is there
    source = FUNCTION.format(**{**SAVED, "result": "3 * x**2 * grad"})
    outcome = run_one("double-backward", f"{module_file(source)}:Cube", inputs={"x": "float[N]"})
    assert outcome.status == "passed"
    assert outcome.verified
