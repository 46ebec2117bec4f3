"""A rotation matrix is built with torch.tensor from the learnt angle, which copies its value and drops its graph."""

import math

import torch
from torch import Tensor, nn

CAUGHT_BY = "graph-cut"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"points": "float[N, 2]"}}

    def __init__(self) -> None:
        super().__init__()
        self.angle = nn.Parameter(torch.tensor(0.4))

    def rotation(self) -> Tensor:
        c, s = math.cos(self.angle), math.sin(self.angle)
        return torch.tensor([[c, -s], [s, c]], dtype=self.angle.dtype)

    def forward(self, points: Tensor) -> Tensor:
        return points @ self.rotation().T


class Right(Wrong):
    def rotation(self) -> Tensor:
        c, s = self.angle.cos(), self.angle.sin()
        return torch.stack([torch.stack([c, -s]), torch.stack([s, c])])
