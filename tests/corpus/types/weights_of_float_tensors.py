"""Weights are allocated as FloatTensor, which is float32 in a project that works in float64."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "default-dtype"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]", "h": "float[N, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.recurrent = nn.Linear(4, 4)
        self.weight = nn.Parameter(self.allocate(4, 6).uniform_(-0.4, 0.4))

    def allocate(self, *shape: int) -> Tensor:
        return torch.FloatTensor(*shape)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(x @ self.weight.T + self.recurrent(h))


class Right(Wrong):
    def allocate(self, *shape: int) -> Tensor:
        return torch.empty(*shape)
