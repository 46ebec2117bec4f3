"""Copies without which nothing would be different."""

# ruff: noqa: RUF012  # __verifykit__ is written as users write it

import torch
from torch import Tensor, nn


class ClonesItsInput(nn.Module):
    """To be on the safe side, though nothing writes to it."""

    __verifykit__ = {"inputs": {"x": "float[N, 64]"}}

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(64))

    def forward(self, x: Tensor) -> Tensor:
        x = x.clone()  # smell: needless copy
        return x * self.gain + x.square()


class TransposedWeight(nn.Module):
    """A linear layer that lays its weight out anew at every call."""

    __verifykit__ = {"inputs": {"x": "float[N, 96]"}}

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(96, 96) / 10)
        self.bias = nn.Parameter(torch.zeros(96))

    def forward(self, x: Tensor) -> Tensor:
        return torch.matmul(x, self.weight.t().contiguous()) + self.bias  # smell: needless copy


class RepeatedScale(nn.Module):
    """Repeats what would broadcast."""

    __verifykit__ = {"inputs": {"x": "float[N, L, 16]"}}

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.rand(1, 1, 16))

    def forward(self, x: Tensor) -> Tensor:
        scale = self.scale.repeat(x.shape[0], x.shape[1], 1)  # smell: needless copy
        return torch.tanh(x) * scale


class MixerBlock(nn.Module):
    """Contiguous in the middle of elementwise work."""

    __verifykit__ = {"inputs": {"x": "float[N, L, 16]"}}

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(16)
        self.mix = nn.Linear(16, 16)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(x)
        y = torch.cat([y], dim=-1)  # smell: needless copy
        return x + self.mix(y)


class SafeResidual(nn.Module):
    """Keeps a copy of the input for the skip connection."""

    __verifykit__ = {"inputs": {"x": "float[N, 32]"}}

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32))

    def forward(self, x: Tensor) -> Tensor:
        identity = torch.clone(x)  # smell: needless copy
        out = self.body(x)
        return identity + out


class DetachedTwice(nn.Module):
    """A statistic of the batch from a copy of it."""

    __verifykit__ = {"inputs": {"x": "float[N, 48]"}}

    def forward(self, x: Tensor) -> Tensor:
        frozen = x.detach().clone()  # smell: needless copy
        return (x - frozen.mean(0)) / (frozen.std(0) + 1e-3)
