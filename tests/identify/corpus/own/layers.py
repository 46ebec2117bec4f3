"""Layers that are no built-in, close to ones that tempt."""
# ruff: noqa: ANN204, RUF012

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.identify.corpus.entries import Own


class LowRankLinear(nn.Module):
    """Two thin matrices in the place of one."""

    def __init__(self, in_features: int = 6, out_features: int = 5, rank: int = 2):
        super().__init__()
        self.down = nn.Parameter(torch.randn(rank, in_features))
        self.up = nn.Parameter(torch.randn(out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.down.T @ self.up.T

    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}


class SumOfTwoLinears(nn.Module):
    def __init__(self, a: int = 4, b: int = 3):
        super().__init__()
        self.first = nn.Linear(a, b)
        self.second = nn.Linear(a, b)

    def forward(self, x: Tensor) -> Tensor:
        return self.first(x) + self.second(x)

    __verifykit__ = {"inputs": {"x": "float[N, 4]"}}


class SymmetricLinear(nn.Module):
    def __init__(self, dim: int = 5):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(dim, dim))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, (self.weight + self.weight.T) / 2)

    __verifykit__ = {"inputs": {"x": "float[N, 5]"}}


class CosineLinear(nn.Module):
    """Rows of the weight have length 1."""

    def __init__(self, in_features: int = 4, out_features: int = 3):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, F.normalize(self.weight))

    __verifykit__ = {"inputs": {"x": "float[N, 4]"}}


class FourierFeatures(nn.Module):
    def __init__(self, d: int = 3, n: int = 4):
        super().__init__()
        self.register_buffer("frequencies", torch.randn(n, d))

    def forward(self, x: Tensor) -> Tensor:
        angle = 2 * math.pi * x @ self.frequencies.T
        return torch.cat([angle.sin(), angle.cos()], -1)

    __verifykit__ = {"inputs": {"x": "float[N, 3]"}}


class GatedMLP(nn.Module):
    def __init__(self, dim: int = 4, hidden: int = 6):
        super().__init__()
        self.gate, self.up, self.down = nn.Linear(dim, hidden), nn.Linear(dim, hidden), nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.silu(self.gate(x)) * self.up(x))

    __verifykit__ = {"inputs": {"x": "float[N, 4]"}}


class SqueezeExcite(nn.Module):
    def __init__(self, channels: int = 4):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(channels, 2), nn.Linear(2, channels)

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.sigmoid(self.fc2(F.relu(self.fc1(x.mean((2, 3))))))
        return x * gate[..., None, None]

    __verifykit__ = {"inputs": {"x": "float[N, 4, H, W]"}}


class LearnedPositions(nn.Module):
    def __init__(self, length: int = 5, dim: int = 4):
        super().__init__()
        self.positions = nn.Parameter(torch.randn(length, dim))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.positions

    __verifykit__ = {"inputs": {"x": "float[N, 5, 4]"}}


class ResidualSwish(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + F.silu(x)


class ResidualBlock(nn.Module):
    def __init__(self, dim: int = 4):
        super().__init__()
        self.linear = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        return x + F.relu(self.linear(x))

    __verifykit__ = {"inputs": {"x": "float[N, 4]"}}


class AttentionWithoutSoftmax(nn.Module):
    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return q @ k.mT @ v / k.shape[1]

    __verifykit__ = {"inputs": {"q": "float[N, T, D]", "k": "float[N, S, D]", "v": "float[N, S, E]"}}


class PowerNorm(nn.Module):
    def __init__(self, dim: int = 6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * x / (x.pow(4).mean(-1, keepdim=True) + 1e-6) ** 0.25

    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}


class ScaledTanh(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * torch.tanh(x) + 1


class MeanOverTime(nn.Module):
    def forward(self, sequence: Tensor) -> Tensor:
        return sequence.mean(1)

    __verifykit__ = {"inputs": {"sequence": "float[N, T, D]"}}


class LinearThenNorm(nn.Module):
    def __init__(self, d_in: int = 5, d_out: int = 4):
        super().__init__()
        self.linear, self.norm = nn.Linear(d_in, d_out), nn.LayerNorm(d_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.linear(x))

    __verifykit__ = {"inputs": {"x": "float[N, 5]"}}


class SineActivation(nn.Module):
    """sin(30 x) from SIREN, which is the sine but for its argument."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(30 * x)


class SeparableConv(nn.Module):
    def __init__(self, c_in: int = 3, c_out: int = 4):
        super().__init__()
        self.depth, self.point = nn.Conv2d(c_in, c_in, 3, padding=1, groups=c_in), nn.Conv2d(c_in, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.point(self.depth(x))

    __verifykit__ = {"inputs": {"x": "float[N, 3, H, W]"}}


class ConstrainedEmbedding(nn.Module):
    """Vectors of unit length."""

    def __init__(self, count: int = 7, dim: int = 4):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(count, dim))

    def forward(self, index: Tensor) -> Tensor:
        return F.normalize(self.weight, dim=-1)[index]

    __verifykit__ = {"inputs": {"index": "long[N] in below 7"}}


EXPECTED = {
    "LowRankLinear": Own(),
    "SumOfTwoLinears": Own("Linear", "the sum of two linear maps is one, with the sums of their weights"),
    "SymmetricLinear": Own(),
    "CosineLinear": Own(),
    "FourierFeatures": Own(),
    "GatedMLP": Own(),
    "SqueezeExcite": Own(),
    "LearnedPositions": Own(),
    "ResidualSwish": Own(),
    "ResidualBlock": Own(),
    "AttentionWithoutSoftmax": Own(),
    "PowerNorm": Own(),
    "ScaledTanh": Own("tanh", "2 tanh(x) + 1 is an affine map of it"),
    "MeanOverTime": Own("mean", "it is torch.mean over one dimension"),
    "LinearThenNorm": Own(),
    "SineActivation": Own(),
    "SeparableConv": Own(),
    "ConstrainedEmbedding": Own(),
}
