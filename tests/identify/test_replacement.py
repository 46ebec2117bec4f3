"""What may replace a reference, and candidates that were made to look as if they might."""

from collections.abc import Callable

import pytest

from verifykit.config import TargetConfig
from verifykit.identify.replacement.compare import compare
from verifykit.results.comparison import Comparison
from verifykit.runner import Plan, prepare
from verifykit.spec.reference import resolve_reference

X = {"x": "float[N, 4]"}
PAIR = {"p": "float[N, 4]", "t": "float[N, 4]"}


def held(path: str, reference: str, inputs: dict[str, str], attribute: str = "Layer") -> Comparison:
    subject, _ = prepare(f"{path}:{attribute}", Plan([], TargetConfig({}, inputs)))
    return compare(subject, resolve_reference(reference, subject.spec.init), profile=False)


def function(body: str, arguments: str = "x", before: str = "") -> str:
    lines = "\n".join(f"    {line}" for line in body.strip().split("\n"))
    return f"{before}\ndef Layer({arguments}):\n{lines}\n"


BACKWARD = """
class Own(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sigmoid(x)
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return {}
"""
LAYER = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 3))
        self.bias = nn.Parameter(torch.randn(3))
        self.last = None
    def forward(self, x):
{}
"""


def layer(body: str) -> str:
    return LAYER.format("\n".join(f"        {line}" for line in body.strip().split("\n")))


GOOD = {
    "another formula": (function("return 0.5 * (1 + torch.tanh(x / 2))"), "torch.nn:Sigmoid", X),
    "own backward": (function("return Own.apply(x)", before=BACKWARD.format("grad * s * (1 - s)")),
                     "torch.nn:Sigmoid", X),
    "transposed weight": (layer("return x @ self.weight + self.bias"), "torch.nn:Linear(4, 3)", X),
    "loss": (function("return ((p - t) ** 2).mean()", "p, t"), "torch.nn:MSELoss", PAIR),
}  # fmt: skip


@pytest.mark.parametrize(("source", "reference", "inputs"), GOOD.values(), ids=GOOD.keys())
def test_good_replacements(
    module_file: Callable[[str], str], source: str, reference: str, inputs: dict[str, str]
) -> None:
    found = held(module_file(source), reference, inputs)
    assert found.verdict == "equal", found
    assert [entry.dtype for entry in found.precisions] == ["float64", "float32", "bfloat16", "float16"]
    assert {entry.verdict for entry in found.precisions} == {"equal"}
    assert all(entry.examples > 40 for entry in found.precisions[:2])


# Each is caught in the dtype that is named, by what is named.
BAD = {
    "zeros": (function("return x * 0"), "torch.nn:Sigmoid", X, "float64", "output"),
    "constant mean": (function("return x * 0 + 0.5"), "torch.nn:Sigmoid", X, "float64", "output"),
    "ignores an input": (function("return (p ** 2).mean() + 0 * t.sum()", "p, t"), "torch.nn:MSELoss", PAIR,
                         "float64", "output"),
    "wrong backward": (function("return Own.apply(x)", before=BACKWARD.format("grad * s")), "torch.nn:Sigmoid", X,
                       "float64", "gradient of x"),
    "backward that cannot be differentiated": (
        function("return Own.apply(x)", before=BACKWARD.format("grad * (s * (1 - s)).detach()")), "torch.nn:Sigmoid",
        X, "float64", "second gradient of x",
    ),
    "the usual size": (function("return torch.sigmoid(x) if x.shape[0] == 3 else x"), "torch.nn:Sigmoid", X,
                       "float64", "output"),
    "one size refused": (function("assert len(x) > 1\nreturn torch.sigmoid(x)"), "torch.nn:Sigmoid", X,
                         "float64", "does not take inputs of shape (1, 4)"),
    "the usual seed": (function("return torch.sigmoid(x) * (1 if torch.initial_seed() < 2 else 2)"),
                       "torch.nn:Sigmoid", X, "float64", "output"),
    "float32 inside": (function("return torch.sigmoid(x.float()).to(x.dtype)"), "torch.nn:Sigmoid", X, "float64",
                       "output"),
    "detached": (function("return torch.sigmoid(x).detach()"), "torch.nn:Sigmoid", X, "float64", "gradient of x"),
    "previous output": (
        layer("now = F.linear(x, self.weight.T, self.bias)\nlast, self.last = self.last, now.detach()\n"
              "return now if last is None or last.shape != now.shape else last"),
        "torch.nn:Linear(4, 3)", X, "float64", "output",
    ),
    "positive inputs": (function("return torch.where(x > 0, torch.sigmoid(x), 0.5)"), "torch.nn:Sigmoid", X, "float64",
                        "output"),
    "writes to its input": (function("y = torch.sigmoid(x)\nx.data.zero_()\nreturn y"), "torch.nn:Sigmoid", X,
                            "float64", "x"),
    "changes its input for the reference": (
        function("x.zero_()\nreturn x + 0.5"), "torch.nn:Sigmoid", X, "float64", "output",
    ),
    "another dtype": (function("return torch.sigmoid(x).float()"), "torch.nn:Sigmoid", X, "float64", "dtype"),
    "NaN": (function("return x * float('nan')"), "torch.nn:Sigmoid", X, "float64", "nan"),
    "right in eval mode": (layer("return F.linear(x, self.weight.T, self.bias) * (2 if self.training else 1)"),
                           "torch.nn:Linear(4, 3)", X, "float64", "in training mode"),
    "coarse in float32": (
        function("y = torch.sigmoid(x)\nreturn y + 1e-5 if x.dtype == torch.float32 else y"),
        "torch.nn:Sigmoid", X, "float32", "output",
    ),
    "coarse in bfloat16": (
        function("y = torch.sigmoid(x)\ncoarse = (y * 16).round() / 16 + (y - y.detach())\n"
                 "return coarse if x.dtype == torch.bfloat16 else y"),
        "torch.nn:Sigmoid", X, "bfloat16", "output",
    ),
    "wrong where no gradient is asked for": (
        function("return torch.sigmoid(x) if torch.is_grad_enabled() else x"), "torch.nn:Sigmoid", X, "float64",
        "without gradients",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("source", "reference", "inputs", "dtype", "said"), BAD.values(), ids=BAD.keys())
def test_bad_replacements(
    module_file: Callable[[str], str], source: str, reference: str, inputs: dict[str, str], dtype: str, said: str
) -> None:
    found = held(module_file(source), reference, inputs)
    assert found.verdict == "differs", found
    (entry,) = [entry for entry in found.precisions if entry.verdict == "differs"]
    assert entry.dtype == dtype
    assert said in (entry.message or "")
    assert entry.evidence


def test_what_overflows_is_no_replacement(module_file: Callable[[str], str]) -> None:
    path = module_file(function("e = x.exp()\nreturn e / e.sum(-1, keepdim=True)"))
    found = held(path, "torch.nn:Softmax(-1)", X)
    assert found.verdict == "differs"
    assert "nan" in (found.reason or "")


def test_kinks_are_notes(module_file: Callable[[str], str]) -> None:
    found = held(module_file(function("return torch.maximum(x, torch.zeros_like(x))")), "torch.nn:ReLU", X)
    assert found.verdict == "equal"
    assert any("subgradients" in note for note in found.precisions[0].notes)


@pytest.mark.parametrize(
    ("source", "reference", "reason"),
    [
        (function("return x * 0"), "torch:zeros_like", "the same at every input"),
        (layer("return x @ self.weight + self.bias"), "torch.nn:ReLU", "no counterpart found for weight (4, 3)"),
        (function("return x.tanh()"), "torch.nn:Linear(7, 2)", "rejects the inputs (x: (3, 4))"),
        (function("return x * 0.1 * (x < 0) + x * (x >= 0)"), "torch.nn:Threshold", "nobody gave threshold, value"),
    ],
)
def test_what_cannot_be_compared(module_file: Callable[[str], str], source: str, reference: str, reason: str) -> None:
    found = held(module_file(source), reference, X)
    assert found.verdict == "inconclusive"
    assert reason in (found.reason or "")
