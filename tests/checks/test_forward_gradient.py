from collections.abc import Callable

import pytest

from verifykit.testing import run_one

FUNCTION = """
class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.x = x
        ctx.save_for_backward(x)
        return x**2
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * grad
    {jvp}
"""

JVP = "@staticmethod\n    def jvp(ctx, tangent):\n        return {result}"

BUGS = [
    # bug: the derivative of the identity
    "tangent.clone()",
    # bug: a factor that is slightly off
    "2.0001 * ctx.x * tangent",
]


@pytest.mark.parametrize("result", BUGS)
def test_bugs(module_file: Callable[[str], str], result: str) -> None:
    path = module_file(FUNCTION.format(jvp=JVP.format(result=result)))
    (finding,) = run_one("forward-gradient", f"{path}:Square", inputs={"x": "float[N]"}).findings
    assert finding.severity == "error"


def test_a_correct_function(module_file: Callable[[str], str]) -> None:
    # correct: the right product
    path = module_file(FUNCTION.format(jvp=JVP.format(result="2 * ctx.x * tangent")))
    assert run_one("forward-gradient", f"{path}:Square", inputs={"x": "float[N]"}).status == "passed"


@pytest.mark.parametrize("target", ["torch:tanh", "torch.nn:Softmax"])
def test_correct_builtins(target: str) -> None:
    # correct: torch's own forward mode
    assert run_one("forward-gradient", target, inputs={"input": "float[N, 4]"}).status == "passed"


def test_without_forward_mode_it_is_skipped(module_file: Callable[[str], str]) -> None:
    outcome = run_one("forward-gradient", f"{module_file(FUNCTION.format(jvp=''))}:Square", inputs={"x": "float[N]"})
    assert outcome.status == "skipped"
    assert "no forward mode" in (outcome.reason or "")
