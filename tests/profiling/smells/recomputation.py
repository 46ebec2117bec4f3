"""Work that is done twice, or anew in every forward."""

# ruff: noqa: RUF012  # __verifykit__ is written as users write it

import math

import torch
from torch import Tensor, nn


class EncodesTwice(nn.Module):
    """The same submodule on the same input."""

    __verifykit__ = {"inputs": {"x": "float[N, 48]"}}

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(48, 64), nn.Tanh(), nn.Linear(64, 16))

    def forward(self, x: Tensor) -> Tensor:
        mean = self.encoder(x).mean(-1, keepdim=True)
        spread = self.encoder(x).var(-1, keepdim=True)  # smell: recomputation
        return mean / (1 + spread)


class GatedTwice(nn.Module):
    """The gate written out at both places."""

    __verifykit__ = {"inputs": {"x": "float[N, 32]", "h": "float[N, 32]"}}

    def __init__(self) -> None:
        super().__init__()
        self.wx = nn.Linear(32, 32)
        self.wh = nn.Linear(32, 32)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        kept = torch.sigmoid(self.wx(x) + self.wh(h)) * h
        new = (1 - torch.sigmoid(self.wx(x) + self.wh(h))) * torch.tanh(x)  # smell: recomputation
        return kept + new


class SinusoidsAnew(nn.Module):
    """Builds its table of positions in forward."""

    __verifykit__ = {"inputs": {"x": "float[N, L, 16]"}}

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(16)

    def forward(self, x: Tensor) -> Tensor:
        place = torch.arange(x.shape[1], dtype=x.dtype)[:, None]
        rate = torch.exp(torch.arange(0, 16, 2, dtype=x.dtype) * (-math.log(1e4) / 16))  # smell: recomputation
        table = torch.zeros(x.shape[1], 16, dtype=x.dtype)
        table[:, 0::2] = torch.sin(place * rate)  # smell: recomputation
        table[:, 1::2] = torch.cos(place * rate)  # smell: recomputation
        return self.norm(x + table)


class PairwiseEnergy(nn.Module):
    """A method that computes distances is called for each of two uses."""

    __verifykit__ = {"inputs": {"points": "float[N, 3]"}}

    def distances(self, points: Tensor) -> Tensor:
        gaps = points[:, None] - points[None]
        return gaps.square().sum(-1).add(1e-6).sqrt()

    def forward(self, points: Tensor) -> Tensor:
        attraction = torch.exp(-self.distances(points)).sum(-1)
        repulsion = (1 / (1 + self.distances(points))).sum(-1)  # smell: recomputation
        return attraction - repulsion


class MaskInEveryTurn(nn.Module):
    """What does not change from turn to turn is computed in each of them."""

    __verifykit__ = {"inputs": {"x": "float[N, 24]", "context": "float[N, 24]"}}

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(24, 24)
        self.steps = 4

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        for _ in range(self.steps):
            x = x + torch.tanh(x) * torch.softmax(self.project(context), -1)  # smell: recomputation
        return x
