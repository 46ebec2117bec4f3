from collections.abc import Callable

import pytest

from verifykit.testing import run_one

FUNCTION = """
class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return {forward}
    @staticmethod
    def backward(ctx, grad):
        return {backward}
"""

BUGS = {
    # bug: in place on the caller's cotangent
    "in place": ("2 * x", "grad.mul_(2)", "in place"),
    # bug: reads the storage as if it were contiguous
    "storage": ("2 * x", "2 * torch.as_strided(grad, grad.shape, (grad.shape[1], 1))", "cotangent that is"),
    # bug: view refuses what is not contiguous
    "view": ("2 * x", "2 * grad.view(-1).view(grad.shape)", "raises for a cotangent that is transposed"),
}


@pytest.mark.parametrize(("forward", "backward", "message"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], forward: str, backward: str, message: str) -> None:
    path = module_file(FUNCTION.format(forward=forward, backward=backward))
    (finding,) = run_one("gradient-layout", f"{path}:Double", inputs={"x": "float[N, 4]"}).findings
    assert finding.severity == "error"
    assert message in finding.message


CORRECT = [
    # correct: makes no assumption
    ("2 * x", "2 * grad"),
    # correct: makes it contiguous first
    ("2 * x", "2 * grad.contiguous().view(-1).view(grad.shape)"),
]


@pytest.mark.parametrize(("forward", "backward"), CORRECT)
def test_correct_functions(module_file: Callable[[str], str], forward: str, backward: str) -> None:
    path = module_file(FUNCTION.format(forward=forward, backward=backward))
    assert run_one("gradient-layout", f"{path}:Double", inputs={"x": "float[N, 4]"}).status == "passed"


def test_correct_modules_with_several_outputs_and_cancelling_gradients() -> None:
    # correct: an LSTM; a normalisation, whose gradient under a cotangent of ones is nothing but rounding error
    init = {"input_size": 4, "hidden_size": 3}
    assert run_one("gradient-layout", "torch.nn:LSTM", init=init, inputs={"input": "float[L, N, 4]"}).status == "passed"
    init = {"num_features": 4}
    text = {"input": "float[N, 4, 5]"}
    assert run_one("gradient-layout", "torch.nn:InstanceNorm1d", init=init, inputs=text).status == "passed"
