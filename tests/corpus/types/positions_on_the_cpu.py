"""Positions are made without a device, and looked up in a table that has moved."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "device"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 7, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.positions = nn.Embedding(32, 6)

    def count(self, x: Tensor) -> Tensor:
        return torch.arange(x.shape[1])

    def forward(self, x: Tensor) -> Tensor:
        return x + self.positions(self.count(x))


class Right(Wrong):
    def count(self, x: Tensor) -> Tensor:
        return torch.arange(x.shape[1], device=x.device)
