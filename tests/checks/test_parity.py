from collections.abc import Callable
from typing import Any

import pytest

from verifykit.results import CheckOutcome
from verifykit.testing import run_one

LINEAR = "torch.nn:Linear(4, 3)"

MODULE = """
class Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 1.0
    @staticmethod
    def backward(ctx, grad):
        return 2 * grad

class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x @ w.T
    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        return grad @ w.detach(), grad.T @ x.detach()

class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 4))
        self.bias = nn.Parameter(torch.randn(3))
    def forward(self, x):
        return {body}
"""

BUGS = {
    # bug: a small constant that does not belong there
    "offset": ("x @ self.weight.T + self.bias + 1e-7", "output"),
    # bug: computes in lower precision than it is given
    "precision": ("(x.float() @ self.weight.float().T).to(x.dtype) + self.bias", "differs"),
    # bug: right values, wrong gradient
    "gradient": ("Twice.apply(x) @ self.weight.T + self.bias", "gradient of x"),
    # bug: clips what is large
    "clip": ("(x @ self.weight.T + self.bias).clamp(-100, 100)", "output"),
    # bug: right in eval mode only
    "training": ("(x @ self.weight.T + self.bias) * (1.01 if self.training else 1)", "in training mode"),
    # bug: right at the sizes that one tries first
    "sizes": ("(x @ self.weight.T + self.bias) * (1 if len(x) < 30 else 2)", "output"),
    # bug: the gradient of the gradient is missing
    "second": ("Product.apply(x, self.weight) + self.bias", "second gradient of"),
    # bug: the result has another shape
    "shape": ("(x @ self.weight.T + self.bias).unsqueeze(0)", "shape"),
}


def compare(path: str, reference: str, text: str = "float[N, 4]", attribute: str = "Layer") -> CheckOutcome:
    return run_one("parity", f"{path}:{attribute}", inputs={"x": text}, reference=reference)


@pytest.mark.parametrize(("body", "named"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], body: str, named: str) -> None:
    outcome = compare(module_file(MODULE.format(body=body)), LINEAR)
    (finding,) = outcome.findings
    assert finding.severity == "error"
    assert named in finding.message
    assert finding.evidence["sizes"] == {"N": 33 if "len(x)" in body else 1}


# correct: the same computation in other words
CORRECT = {
    "matmul": "x @ self.weight.T + self.bias",
    "einsum": "torch.einsum('ni,oi->no', x, self.weight) + self.bias",
    "loop": "torch.stack([(x * row).sum(-1) for row in self.weight], -1) + self.bias",
    # correct: another order of summation
    "reversed": "x.flip(1) @ self.weight.flip(1).T + self.bias",
}


@pytest.mark.parametrize("body", CORRECT.values(), ids=CORRECT.keys())
def test_correct_modules(module_file: Callable[[str], str], body: str) -> None:
    outcome = compare(module_file(MODULE.format(body=body)), LINEAR)
    assert outcome.status == "passed", outcome
    assert [item.what.split()[0] for item in outcome.verified] == ["float64", "float32"]
    assert all(item.examples >= 40 for item in outcome.verified)


@pytest.mark.parametrize(
    ("target", "reference", "init", "inputs"),
    [
        ("reference_modules:CustomLinear", "torch.nn:Linear", {}, {}),
        ("reference_modules:ThresholdReLU", "torch.nn:Threshold", {"threshold": 0.5}, {}),
        ("reference_modules:ThresholdReLU", "torch.nn:ReLU", {}, {}),
        ("torch.nn.functional:gelu", "torch.nn:GELU", {}, {"input": "float[N, 4]"}),
        ("torch.nn:LSTM", "torch.nn:LSTM", {"input_size": 3, "hidden_size": 2}, {"input": "float[L, N, 3]"}),
        ("torch.nn:MaxPool1d", "torch.nn:MaxPool1d", {"kernel_size": 2}, {"input": "float[N, 2, 6]"}),
        ("torch.nn:BatchNorm1d", "torch.nn:BatchNorm1d", {"num_features": 4}, {"input": "float[N, 4]"}),
        ("torch.nn:CrossEntropyLoss", "torch.nn:CrossEntropyLoss", {},
         {"input": "float[N, 5]", "target": "long[N] in below 5"}),
        ("torch:angle", "torch:angle", {}, {"input": "complex[N]"}),
    ],
)  # fmt: skip
def test_builtins_equal_themselves(target: str, reference: str, init: dict[str, Any], inputs: dict[str, str]) -> None:
    outcome = run_one("parity", target, init=init, inputs=inputs, reference=reference)
    assert outcome.status == "passed", outcome


def test_gradients_may_differ_at_a_kink_but_nowhere_else(module_file: Callable[[str], str]) -> None:
    source = "def relu(x):\n    return torch.maximum(x, torch.zeros_like(x))\n"  # gradient 1/2 at zero, ReLU's is 0
    outcome = compare(module_file(source), "torch.nn:ReLU", "float[N]", "relu")
    assert outcome.status == "passed"
    assert [finding.severity for finding in outcome.findings] == ["note"]


def test_an_assumed_argument_makes_a_difference_inconclusive(module_file: Callable[[str], str]) -> None:
    source = """
class Low(nn.Module):
    def __init__(self, threshold=0.5):
        super().__init__()
        self.threshold = threshold
    def forward(self, x):
        return torch.where(x > self.threshold, x, torch.full_like(x, -1.0))
"""
    path = module_file(source)
    outcome = run_one(
        "parity", f"{path}:Low", init={"threshold": 0.5}, inputs={"x": "float[N]"}, reference="torch.nn:Threshold"
    )
    assert outcome.status == "inconclusive"
    assert "nobody gave value" in (outcome.reason or "")


def test_what_cannot_be_compared_is_inconclusive(module_file: Callable[[str], str]) -> None:
    constant = "def nothing(x):\n    return x * 0\n"
    assert compare(module_file(constant), "torch:zeros_like", "float[N]", "nothing").status == "inconclusive"
    path = module_file(MODULE.format(body="x @ self.weight.T"))
    assert "no counterpart" in (compare(path, "torch.nn:ReLU").reason or "")
    assert "rejects" in (compare(module_file(constant), "torch.nn.functional:glu", "float[N]", "nothing").reason or "")


def test_without_a_reference_it_is_skipped() -> None:
    assert run_one("parity", "torch.nn:ReLU", inputs={"input": "float[N]"}).status == "skipped"
