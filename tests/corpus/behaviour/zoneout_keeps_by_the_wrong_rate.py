"""Zoneout mixes old and new state by one rate in training and by its complement in eval mode."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "train-eval"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 4]", "state": "float[N, 3]"}}

    def __init__(self, rate: float = 0.2) -> None:
        super().__init__()
        self.rate = rate
        self.cell = nn.GRUCell(4, 3)

    def mixed(self, old: Tensor, new: Tensor) -> Tensor:
        return self.rate * new + (1 - self.rate) * old

    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        new = self.cell(x, state)
        if self.training:
            keeps = torch.rand_like(state) < self.rate
            return torch.where(keeps, state, new)
        return self.mixed(state, new)


class Right(Wrong):
    def mixed(self, old: Tensor, new: Tensor) -> Tensor:
        return self.rate * old + (1 - self.rate) * new
