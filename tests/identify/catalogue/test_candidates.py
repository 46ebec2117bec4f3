"""Built-in operations are proposed with the very arguments that make them the module."""

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.torch_modules import KNOWN, Known
from verifykit.identify.catalogue.candidates import candidates
from verifykit.identify.facts import facts_of
from verifykit.spec.model import Spec, parse_input
from verifykit.spec.subject import Subject
from verifykit.targets import Target, resolve

IMAGE = "float[N, 4, 6, 7]"


def _subject(target: Target, inputs: dict[str, str], init: dict[str, Any] | None = None) -> Subject:
    return Subject(target, Spec(init or {}, tuple(parse_input(name, text) for name, text in inputs.items())))


def _plain(arguments: Any) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in arguments.items()}


# What they draw decides nothing at these sizes, so that the module looks as if it drew nothing.
RANDOM_IN_VAIN = ("FractionalMaxPool2d", "FractionalMaxPool3d")


@pytest.mark.parametrize("known", [k for k in KNOWN if k.name not in RANDOM_IN_VAIN], ids=lambda known: known.name)
def test_a_builtin_is_a_candidate_for_itself(known: Known) -> None:
    facts = facts_of(_subject(resolve(known.target), known.inputs, known.init))
    found = [c.reference for c in candidates(facts) if c.reference.target.name == known.target]
    assert _plain(known.init) in [_plain(reference.init) for reference in found]


class TransposedLinear(nn.Module):
    def __init__(self, n_in: int = 6, n_out: int = 4) -> None:
        super().__init__()
        self.w, self.b = nn.Parameter(torch.randn(n_in, n_out)), nn.Parameter(torch.randn(n_out))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.w + self.b


class FusedBias(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.randn(7, 4))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, torch.ones_like(x[..., :1])], -1) @ self.w


class UnfoldedConvolution(nn.Module):
    def __init__(self, kernel: int = 3, step: int = 2, margin: int = 1) -> None:
        super().__init__()
        self.k, self.s, self.p = kernel, step, margin
        self.weight, self.bias = nn.Parameter(torch.randn(5, 4 * kernel**2)), nn.Parameter(torch.randn(5))

    def forward(self, x: Tensor) -> Tensor:
        columns = self.weight @ F.unfold(x, self.k, padding=self.p, stride=self.s) + self.bias[:, None]
        height = (x.shape[2] + 2 * self.p - self.k) // self.s + 1
        return columns.view(len(x), 5, height, -1)


class Depthwise(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 3, 5))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight[:, None], padding=(1, 2), groups=4)


class PatchUpsampling(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 3, 2, 2))

    def forward(self, x: Tensor) -> Tensor:
        n, _, h, w = x.shape
        return torch.einsum("nchw,cokl->nohkwl", x, self.weight).reshape(n, 3, 2 * h, 2 * w)


class LoopedLSTM(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.W, self.U = nn.Linear(5, 16), nn.Linear(4, 16, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        hidden = cell = x.new_zeros(len(x), 4)
        found = []
        for step in x.unbind(1):
            i, f, g, o = (self.W(step) + self.U(hidden)).chunk(4, -1)
            cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
            hidden = o.sigmoid() * cell.tanh()
            found.append(hidden)
        return torch.stack(found, 1)


class StackedGRU(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cells = nn.ModuleList([nn.GRUCell(5, 4), nn.GRUCell(4, 4)])

    def forward(self, x: Tensor) -> Tensor:
        for cell in self.cells:
            hidden, found = x.new_zeros(x.shape[1], 4), []
            for step in x:
                hidden = cell(step, hidden)
                found.append(hidden)
            x = torch.stack(found)
        return x


class SplitAttention(nn.Module):
    def __init__(self, heads: int = 2, causal: bool = False) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.q, self.k, self.v, self.o = (nn.Linear(8, 8) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (part(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (self.q, self.k, self.v))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.o(mixed.transpose(1, 2).flatten(2))


class OwnLayerNorm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.g, self.b = nn.Parameter(torch.ones(6)), nn.Parameter(torch.zeros(6))

    def forward(self, x: Tensor) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        return centred / torch.sqrt(centred.square().mean(-1, keepdim=True) + 1e-6) * self.g + self.b


class WindowMean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, (1, 1, 1, 1)).unfold(2, 3, 1).unfold(3, 3, 1).mean((-1, -2))


class WeightedCrossEntropy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("w", torch.tensor([1.0, 2.0, 3.0, 0.5, 0.7]))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        weight = self.get_buffer("w")[y]
        return -(weight * x.log_softmax(-1).gather(1, y[:, None])[:, 0]).sum() / weight.sum()


class PositiveBCE(nn.Module):
    def __init__(self, factor: float = 3.0) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return -(self.factor * y * F.logsigmoid(x) + (1 - y) * F.logsigmoid(-x)).mean()


class BinaryOfLabels(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return (x.clamp(min=0) - x * y + torch.log1p(torch.exp(-x.abs()))).mean()


class CrossAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v, self.o = nn.Linear(8, 8), nn.Linear(6, 8), nn.Linear(6, 8), nn.Linear(8, 8)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        q, k, v = (t.unflatten(-1, (2, 4)).transpose(1, 2) for t in (self.q(x), self.k(c), self.v(c)))
        return self.o(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class AcrossChannels(nn.Module):
    def __init__(self, radius: int = 2) -> None:
        super().__init__()
        self.r = radius

    def forward(self, x: Tensor) -> Tensor:
        padded, width = F.pad(x.square(), (0, 0, 0, 0, self.r, self.r)), 2 * self.r + 1
        total = torch.stack([padded[:, i : i + x.shape[1]] for i in range(width)]).sum(0)
        return x / (1.0 + 1e-4 * total / width) ** 0.75


class SlowExponential(nn.Module):
    def __init__(self, rate: float = 0.3) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x > 0, x, torch.expm1(self.rate * x) / self.rate)


def smoothed(logits: Tensor, target: Tensor, smoothing: float = 0.1) -> Tensor:
    chance = logits.log_softmax(-1)
    aim = F.one_hot(target, chance.shape[-1]) * (1 - smoothing) + smoothing / chance.shape[-1]
    return -(aim * chance).sum(-1).mean()


def causal(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    return scores.masked_fill(later, -math.inf).softmax(-1) @ v


def own_attention(x: Tensor) -> Tensor:
    return (x @ x.mT / math.sqrt(x.shape[-1])).softmax(-1) @ x


def joined(x: Tensor, y: Tensor) -> Tensor:
    return torch.concat((x, y), 1)


def unit(x: Tensor) -> Tensor:
    return x / x.norm(dim=-1, keepdim=True).clamp_min(1e-12)


def clipped(p: Tensor, t: Tensor) -> Tensor:
    error = (p - t).abs()
    return torch.where(error < 0.7, error.square() / 2, 0.7 * (error - 0.35)).sum()


ROW = {"x": "float[N, 6]"}
PAIR = {"p": "float[N, 6]", "t": "float[N, 6]"}
SEQUENCE = {"x": "float[N, L, 8]"}
HEADS = dict.fromkeys("qkv", "float[N, L, 6]")
LABELS = {"x": "float[N, 5]", "y": "long[N] in below 5"}

REWRITTEN: list[tuple[Any, dict[str, str], dict[str, Any], str]] = [
    (TransposedLinear, ROW, {}, "torch.nn.Linear(6, 4)"),
    (FusedBias, ROW, {}, "torch.nn.Linear(6, 4)"),
    (UnfoldedConvolution, {"x": IMAGE}, {}, "torch.nn.Conv2d(4, 5, 3, stride=2, padding=1)"),
    (Depthwise, {"x": IMAGE}, {}, "torch.nn.Conv2d(4, 4, (3, 5), padding=(1, 2), groups=4, bias=False)"),
    (PatchUpsampling, {"x": "float[N, 4, 3, 5]"}, {}, "torch.nn.ConvTranspose2d(4, 3, 2, stride=2, bias=False)"),
    (LoopedLSTM, {"x": "float[N, L, 5]"}, {}, "torch.nn.LSTM(5, 4, batch_first=True)"),
    (StackedGRU, {"x": "float[L, N, 5]"}, {}, "torch.nn.GRU(5, 4, num_layers=2)"),
    (SplitAttention, SEQUENCE, {}, "torch.nn.MultiheadAttention(8, 2, batch_first=True)(x, x, x)"),
    (SplitAttention, SEQUENCE, {"causal": True},
     "torch.nn.MultiheadAttention(8, 2, batch_first=True)(x, x, x, is_causal=True)"),
    (OwnLayerNorm, ROW, {}, "torch.nn.LayerNorm(6, eps=1e-06)"),
    (WindowMean, {"x": IMAGE}, {}, "torch.nn.AvgPool2d(3, stride=1, padding=1)"),
    (WeightedCrossEntropy, LABELS, {}, "torch.nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0, 0.5, "
     "0.699999988079071]))"),
    (PositiveBCE, {"x": "float[N, 6]", "y": "float[N, 6] in [0, 1]"}, {},
     "torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor(3.0))"),
    (BinaryOfLabels, {"x": "float[N, 6]", "y": "long[N, 6] in below 2"}, {},
     "torch.nn.BCEWithLogitsLoss()(x, y.float())"),
    (CrossAttention, {"x": "float[N, L, 8]", "c": "float[N, S, 6]"}, {},
     "torch.nn.MultiheadAttention(8, 2, kdim=6, vdim=6, batch_first=True)(x, c, c)"),
    (AcrossChannels, {"x": "float[N, C, H, W]"}, {}, "torch.nn.LocalResponseNorm(5)"),
    (SlowExponential, ROW, {}, f"torch.nn.CELU(alpha={1 / 0.3})"),
    (smoothed, {"logits": "float[N, 5]", "target": "long[N] in below 5"}, {},
     "torch.nn.CrossEntropyLoss(label_smoothing=0.1)"),
    (causal, HEADS, {}, "torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)"),
    (own_attention, {"x": "float[N, L, 6]"}, {}, "torch.nn.functional.scaled_dot_product_attention(x, x, x)"),
    (joined, {"x": "float[N, 6]", "y": "float[N, 6]"}, {}, "torch.cat([x, y], dim=1)"),
    (unit, ROW, {}, "torch.nn.functional.normalize(x, dim=-1)"),
    (clipped, PAIR, {}, "torch.nn.HuberLoss(reduction='sum', delta=0.7)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("made", "inputs", "init", "expected"),
    REWRITTEN,
    ids=[f"{made.__name__}{init or ''}" for made, _, init, _ in REWRITTEN],
)
def test_what_a_rewritten_operation_is_stands_among_its_candidates(
    made: Any, inputs: dict[str, str], init: dict[str, Any], expected: str
) -> None:
    target = Target(f"{__name__}:{made.__name__}", made, "class" if isinstance(made, type) else "function", None)
    facts = facts_of(_subject(target, inputs, init))
    assert expected in [candidate.name for candidate in candidates(facts)]


def test_a_layer_with_weights_is_compared_with_few() -> None:
    target = Target(f"{__name__}:FusedBias", FusedBias, "class", None)
    assert len(list(candidates(facts_of(_subject(target, ROW))))) < 10
