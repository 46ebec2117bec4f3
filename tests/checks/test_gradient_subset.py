from collections.abc import Callable

import pytest

from verifykit.testing import run_one

SOURCE = """
class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight):
        ctx.save_for_backward(x, weight)
        return x @ weight.T
    @staticmethod
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        {backward}

class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 4))
    def forward(self, x):
        return Product.apply(x, self.weight)
"""

BUGS = {
    # bug: one gradient too few where the input needs none
    "too few": "grads = [grad @ weight] if ctx.needs_input_grad[0] else []\n        return (*grads, grad.T @ x)",
    # bug: the flags are mixed up
    "swapped": "need_w, need_x = ctx.needs_input_grad\n"
    "        return grad @ weight if need_x else None, grad.T @ x if need_w else None",
    # bug: the frozen case takes another formula
    "formula": "return grad @ weight, grad.T @ x * (1 if ctx.needs_input_grad[0] else 2)",
}


@pytest.mark.parametrize("backward", BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], backward: str) -> None:
    path = module_file(SOURCE.format(backward=backward))
    (finding,) = run_one("gradient-subset", f"{path}:Layer", inputs={"x": "float[N, 4]"}).findings
    assert finding.severity == "error"
    assert "requires a gradient" in finding.message


CORRECT = [
    # correct: always both
    "return grad @ weight, grad.T @ x",
    # correct: only what is needed
    "need_x, need_w = ctx.needs_input_grad\n"
    "        return grad @ weight if need_x else None, grad.T @ x if need_w else None",
]


@pytest.mark.parametrize("backward", CORRECT)
def test_correct_functions(module_file: Callable[[str], str], backward: str) -> None:
    path = module_file(SOURCE.format(backward=backward))
    assert run_one("gradient-subset", f"{path}:Layer", inputs={"x": "float[N, 4]"}).status == "passed"


def test_one_leaf_only_is_skipped() -> None:
    assert run_one("gradient-subset", "torch.nn:ReLU", inputs={"input": "float[N]"}).status == "skipped"
