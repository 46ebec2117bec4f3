"""The thorough comparison: what is equal is found equal, whatever words it is written in; what is not, is not."""

from collections.abc import Callable

import pytest
import torch

from verifykit.config import TargetConfig
from verifykit.identify.agreement import Agreement, agreement
from verifykit.identify.candidate import Candidate, Match
from verifykit.identify.facts import facts_of
from verifykit.identify.mapping.arrangements import arrangements
from verifykit.runner import Plan, prepare
from verifykit.spec.reference import resolve_reference

X = {"x": "float[N, 4]"}
V = {"x": "float[N]"}
CLASSES = {"x": "float[N, 5]", "y": "long[N] in below 5"}
PAIR = {"p": "float[N, 4]", "t": "float[N, 4]"}
UNIT = {"p": "float[N] in (0, 1)", "t": "float[N] in [0, 1]"}
SEQUENCE = {"x": "float[L, N, 3]"}


def compared(target: str, reference: str, inputs: dict[str, str], scale: float = 1.0) -> Agreement:
    reference = f"{target.rpartition(':')[0]}:{reference}" if ":" not in reference else reference
    subject, _ = prepare(target, Plan([], TargetConfig({}, inputs)))
    facts = facts_of(subject)
    other = resolve_reference(reference, subject.spec.init)
    arrangement = next(arrangements(facts, other.build(torch.float64, "cpu", seed=0)))
    match = Match(
        Candidate(reference, other, reference),
        arrangement,
        tuple(range(len(facts.inputs))),
        {place: place for place in facts.outputs},
        scale,
    )
    return agreement(facts, match)


STATEFUL = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
{state}
    def forward(self, x):
{body}
"""


def layer(state: str, body: str) -> str:
    indented = ["\n".join(f"        {line}" for line in part.strip().split("\n")) for part in (state, body)]
    return STATEFUL.format(state=indented[0], body=indented[1])


def function(body: str, arguments: str = "x") -> str:
    lines = "\n".join(f"    {line}" for line in body.strip().split("\n"))
    return f"def Layer({arguments}):\n{lines}\n"


AFFINE = "self.weight = nn.Parameter(torch.ones(4))\nself.bias = nn.Parameter(torch.zeros(4))"
STATISTICS = AFFINE + (
    "\nself.register_buffer('running_mean', torch.zeros(4))\nself.register_buffer('running_var', torch.ones(4))"
)
NORMALISE = """
if self.training:
    if len(x) == 1:
        raise ValueError("one sample")
    m, v = x.mean(0), x.var(0, unbiased=False)
    with torch.no_grad():
        self.running_mean.lerp_(m, {momentum})
        self.running_var.lerp_({stored}, {momentum})
else:
    m, v = self.running_mean, self.running_var
return (x - m) / (v + 1e-5).sqrt() * self.weight + self.bias
"""
RECURRENT = """
self.weight_ih_l0 = nn.Parameter(torch.randn(8, 3) * 0.4)
self.weight_hh_l0 = nn.Parameter(torch.randn(8, 2) * 0.4)
self.bias_ih_l0 = nn.Parameter(torch.randn(8) * 0.4)
self.bias_hh_l0 = nn.Parameter(torch.randn(8) * 0.4)
"""
LSTM = "\ndef LSTM() -> nn.Module:\n    return nn.LSTM(3, 2)\n"
UNROLLED = """
h = c = x.new_zeros(x.shape[1], 2)
steps = []
for step in x:
    gates = step @ self.weight_ih_l0.T + self.bias_ih_l0 + h @ self.weight_hh_l0.T + self.bias_hh_l0
    {gates} = gates.chunk(4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
    steps.append(h)
return torch.stack(steps), (h[None], c[None])
"""

# source, reference, inputs, a note that is expected
EQUAL = {
    "gelu": (function("return x * 0.5 * (1 + torch.erf(x / 2**0.5))"), "torch.nn:GELU", X, None),
    "relu by maximum": (function("return torch.maximum(x, torch.zeros_like(x))"), "torch.nn:ReLU", X, "subgradients"),
    "relu by where": (function("return torch.where(x > 0, x, 0.0)"), "torch.nn:ReLU", X, "nan"),
    "relu by product": (function("return x * (x > 0)"), "torch.nn:ReLU", X, "inf"),
    "sigmoid": (function("return 1 / (1 + torch.exp(-x))"), "torch.nn:Sigmoid", X, "gradient of x is nan"),
    "tanh": (function("return 2 * torch.sigmoid(2 * x) - 1"), "torch.nn:Tanh", X, None),
    "softplus": (function("return torch.log(1 + torch.exp(x))"), "torch.nn:Softplus", X, "inf where"),
    "mish": (function("return x * torch.tanh(F.softplus(x))"), "torch.nn:Mish", X, None),
    "softmax": (function("e = torch.exp(x)\nreturn e / e.sum(-1, keepdim=True)"), "torch.nn:Softmax(-1)", X, "nan"),
    "log softmax": (
        function("return x - x.logsumexp(-1, keepdim=True)"), "torch.nn:LogSoftmax(-1)", X, None,
    ),
    "cross entropy": (
        function("return -(x - x.logsumexp(1, True)).gather(1, y[:, None]).mean()", "x, y"),
        "torch.nn:CrossEntropyLoss", CLASSES, None,
    ),
    "mse": (function("return ((p - t) ** 2).sum() / p.numel()", "p, t"), "torch.nn:MSELoss", PAIR, None),
    "l1": (function("return (p - t).abs().mean()", "p, t"), "torch.nn:L1Loss", PAIR, None),
    "bce": (
        function("return -(t * p.log() + (1 - t) * (1 - p).log()).mean()", "p, t"), "torch.nn:BCELoss", UNIT, None,
    ),
    "bce with logits": (
        function("return (x.clamp(min=0) - x * y + torch.log1p(torch.exp(-x.abs()))).mean()", "x, y"),
        "torch.nn:BCEWithLogitsLoss", {"x": "float[N]", "y": "float[N] in [0, 1]"}, "at such a point alone",
    ),
    "huber": (
        function("d = (p - t).abs()\nreturn torch.where(d < 1, 0.5 * d * d, d - 0.5).mean()", "p, t"),
        "torch.nn:SmoothL1Loss", PAIR, None,
    ),
    "layer norm": (
        layer(AFFINE, "m = x.mean(-1, True)\nv = ((x - m) ** 2).mean(-1, True)\n"
              "return (x - m) / (v + 1e-5).sqrt() * self.weight + self.bias"),
        "torch.nn:LayerNorm(4)", X, None,
    ),
    "layer norm by raw moments": (
        layer(AFFINE, "m = x.mean(-1, True)\nv = (x * x).mean(-1, True) - m * m\n"
              "return (x - m) / (v + 1e-5).sqrt() * self.weight + self.bias"),
        "torch.nn:LayerNorm(4)", X, None,
    ),
    "batch norm": (
        layer(STATISTICS, NORMALISE.format(momentum=0.1, stored="x.var(0)")), "torch.nn:BatchNorm1d(4)", X, None,
    ),
    "lstm": (layer(RECURRENT, UNROLLED.format(gates="i, f, g, o")) + LSTM, "LSTM", SEQUENCE, None),
    "max pool": (
        function("return x.unfold(-1, 2, 2).amax(-1)"), "torch.nn:MaxPool1d(2)", {"x": "float[N, 2, 6]"},
        "subgradients",
    ),
    "dropout": (
        layer("pass", "if not self.training:\n    return x\nreturn x * torch.bernoulli(torch.full_like(x, 0.5)) * 2"),
        "torch.nn:Dropout(0.5)", X, None,
    ),
    "dropout by another draw": (
        layer("pass", "return x * (torch.rand(x.shape).to(x) < 0.5) * 2 if self.training else x"),
        "torch.nn:Dropout(0.5)", X, "in distribution",
    ),
    "hard sigmoid": (
        function("return (x + 3).clamp(0, 6) / 6"), "torch.nn:Hardsigmoid", X, "constant in single precision",
    ),
    "boolean outputs": (function("return ~(x <= 0)") + "def positive(x):\n    return x > 0\n", "positive", X, "nan"),
    "complex": (function("return x.real - 1j * x.imag"), "torch:conj_physical", {"x": "complex[N, 3]"}, None),
    "a loss that torch cannot differentiate by its target": (
        function("return F.softplus(-p * t).mean()", "p, t"), "torch.nn:SoftMarginLoss", PAIR, None,
    ),
    "linear by einsum": (
        layer("self.weight = nn.Parameter(torch.randn(3, 4))\nself.bias = nn.Parameter(torch.randn(3))",
              "return torch.einsum('ni,oi->no', x, self.weight) + self.bias"),
        "torch.nn:Linear(4, 3)", X, None,
    ),
    "embedding by one-hot": (
        layer("self.weight = nn.Parameter(torch.randn(5, 3))", "return F.one_hot(x, 5).to(self.weight) @ self.weight"),
        "torch.nn:Embedding(5, 3)", {"x": "long[N] in below 5"}, None,
    ),
    "cosine": (
        function("n = lambda a: a.norm(dim=1).clamp(min=1e-8)\nreturn (p * t).sum(1) / (n(p) * n(t))", "p, t"),
        "torch.nn:CosineSimilarity", PAIR, None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("source", "reference", "inputs", "note"), EQUAL.values(), ids=EQUAL.keys())
def test_equal(
    module_file: Callable[[str], str], source: str, reference: str, inputs: dict[str, str], note: str | None
) -> None:
    found = compared(f"{module_file(source)}:Layer", reference, inputs)
    assert found.holds, found
    assert found.examples > 15
    assert found.worst < 1e-12
    if note is not None:
        assert any(note in text for text in found.notes), found.notes


WRONG_GRADIENT = """
class Wrong(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.tanh()
    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        {body}
def Layer(x):
    return Wrong.apply(x)
"""
CACHED = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.seen = {}
    def forward(self, x):
        return self.seen.setdefault(x.shape, x.tanh())
"""

# source, reference, inputs, what the counterexample says
DIFFERENT = {
    "gelu by tanh": (function("return F.gelu(x, approximate='tanh')"), "torch.nn:GELU", X, "output"),
    "quick gelu": (function("return x * torch.sigmoid(1.702 * x)"), "torch.nn:GELU", X, "output"),
    "zeros": (function("return x * 0"), "torch.nn:Tanh", X, "output"),
    "zeros against zeros": (function("return x * 0"), "torch:zeros_like", X, "the same at every input"),
    "offset": (function("return x.tanh() + 1e-9"), "torch.nn:Tanh", X, "output"),
    "float32 inside": (function("return x.float().tanh().to(x.dtype)"), "torch.nn:Tanh", X, "output"),
    "half of it in float32": (function("return (x + x.float().tanh().to(x.dtype)) - x"), "torch.nn:Tanh", X, "output"),
    "detached": (function("return x.detach().tanh() + 0 * x"), "torch.nn:Tanh", X, "gradient of x"),
    "clipped": (function("return x.clamp(-500, 500)"), "torch.nn:Identity", X, "output"),
    "at usual sizes only": (function("return x.tanh() if len(x) == 3 else x"), "torch.nn:Tanh", X, "output"),
    "small batches only": (function("return x.tanh() if len(x) < 20 else x"), "torch.nn:Tanh", X, "N = 33"),
    "one sample squeezed": (function("return x.tanh().squeeze(0)"), "torch.nn:Tanh", X, "shape"),
    "positive only": (function("return torch.where(x >= 0, x.tanh(), x)"), "torch.nn:Tanh", X, "output"),
    "not at zero": (function("return torch.where(x == 0, 1.0, x.tanh())"), "torch.nn:Tanh", X, "zeros"),
    "not at one": (function("return torch.where(x == 1, 0.0, x.tanh())"), "torch.nn:Tanh", X, "output"),
    "not at its constant": (
        function("return torch.where(x >= 0.3, x, 0.0)"), "torch.nn:Threshold(0.3, 0.0)", X, "output",
    ),
    "wrong gradient": (WRONG_GRADIENT.format(body="return g * (1 - x.tanh())"), "torch.nn:Tanh", X, "gradient of x"),
    "gradient scaled": (
        WRONG_GRADIENT.format(body="return g * (1 - x.tanh() ** 2) * (1 + 1e-7)"), "torch.nn:Tanh", X, "gradient of x",
    ),
    "gradient in single precision": (
        WRONG_GRADIENT.format(body="return (g.float() * (1 - x.float().tanh() ** 2)).to(g.dtype)"),
        "torch.nn:Tanh", X, "gradient of x",
    ),
    "gradient wrong at zero": (
        WRONG_GRADIENT.format(body="return torch.where(x == 0, 17 * g, g * (1 - x.tanh() ** 2))"),
        "torch.nn:Tanh", X, "gradient of x",
    ),
    "no double backward": (
        WRONG_GRADIENT.format(body="return g * (1 - x.detach().tanh() ** 2)"), "torch.nn:Tanh", X, "second gradient",
    ),
    "cached": (CACHED, "torch.nn:Tanh", X, "output"),
    "its parameters as built": (
        layer("self.weight = nn.Parameter(torch.ones(4))\nself.bias = nn.Parameter(torch.zeros(4))",
              "return F.layer_norm(x, (4,), self.weight, self.bias * 0)"),
        "torch.nn:LayerNorm(4)", X, "output",
    ),
    "ignores an input": (function("return (p ** 2).mean()", "p, t"), "torch.nn:MSELoss", PAIR, "output"),
    "target gets no gradient": (
        function("return ((p - t.detach()) ** 2).mean()", "p, t"), "torch.nn:MSELoss", PAIR, "gradient of t",
    ),
    "sum in place of mean": (function("return ((p - t) ** 2).sum()", "p, t"), "torch.nn:MSELoss", PAIR, "output"),
    "mean over the batch": (function("return ((p - t) ** 2).sum() / len(p)", "p, t"), "torch.nn:MSELoss", PAIR,
                            "output"),
    "unbiased variance": (
        layer(AFFINE, "return (x - x.mean(-1, True)) / (x.var(-1, keepdim=True) + 1e-5).sqrt() * self.weight"
              " + self.bias"),
        "torch.nn:LayerNorm(4)", X, "output",
    ),
    "eps outside the root": (
        layer(AFFINE, "return (x - x.mean(-1, True)) / (x.std(-1, correction=0, keepdim=True) + 1e-5) * self.weight"
              " + self.bias"),
        "torch.nn:LayerNorm(4)", X, "output",
    ),
    "momentum": (
        layer(STATISTICS, NORMALISE.format(momentum=0.9, stored="x.var(0)")), "torch.nn:BatchNorm1d(4)", X,
        "running_mean",
    ),
    "biased running variance": (
        layer(STATISTICS, NORMALISE.format(momentum=0.1, stored="v")), "torch.nn:BatchNorm1d(4)", X, "running_var",
    ),
    "gate order": (layer(RECURRENT, UNROLLED.format(gates="i, f, o, g")) + LSTM, "LSTM", SEQUENCE, "output"),
    "dropout with another rate": (
        layer("pass", "if not self.training:\n    return x\nreturn x * torch.bernoulli(torch.full_like(x, 0.6)) / 0.6"),
        "torch.nn:Dropout(0.5)", X, "in training mode",
    ),
    "dropout of whole rows": (
        layer("pass", "if not self.training:\n    return x\n"
              "return x * torch.bernoulli(torch.full_like(x[:, :1], 0.5)) * 2"),
        "torch.nn:Dropout(0.5)", X, "in training mode",
    ),
    "dropout that is not scaled": (
        layer("pass", "return x * torch.bernoulli(torch.full_like(x, 0.5)) if self.training else x"),
        "torch.nn:Dropout(0.5)", X, "in training mode",
    ),
    "dropout that is off": (function("return x * 1"), "torch.nn:Dropout(0.5)", X, "in training mode"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "reference", "inputs", "said"), DIFFERENT.values(), ids=DIFFERENT.keys())
def test_different(
    module_file: Callable[[str], str], source: str, reference: str, inputs: dict[str, str], said: str
) -> None:
    found = compared(f"{module_file(source)}:Layer", reference, inputs)
    assert not found.holds
    assert found.counterexample is not None
    assert said in found.counterexample, found


def test_a_factor_is_part_of_the_match(module_file: Callable[[str], str]) -> None:
    path = module_file(function("return 0.1 * ((p - t) ** 2).mean()", "p, t"))
    assert compared(f"{path}:Layer", "torch.nn:MSELoss", PAIR, 0.1).holds
    assert not compared(f"{path}:Layer", "torch.nn:MSELoss", PAIR, 0.1 + 1e-9).holds


def test_a_counterexample_is_small_and_whole(module_file: Callable[[str], str]) -> None:
    path = module_file(function("return torch.where(x >= 0.3, x, 0.0)"))
    found = compared(f"{path}:Layer", "torch.nn:Threshold(0.3, 0.0)", V)
    assert found.evidence["sizes"] == {"N": 1}
    assert found.evidence["inputs"] == {"x": [pytest.approx(0.3)]}
    assert "N = 1 and round values" in (found.counterexample or "")


def test_what_both_refuse_is_left_out_and_what_one_refuses_is_said(module_file: Callable[[str], str]) -> None:
    picky = "if len(x) == 1:\n    raise ValueError('too few')\nreturn x.tanh()"
    found = compared(f"{module_file(function(picky))}:Layer", "torch.nn:Tanh", X)
    assert found.holds
    assert found.notes == (
        "it does not take inputs of shape (1, 4)",
        "it does not take inputs of shape (1, 4) in training mode",
    )
