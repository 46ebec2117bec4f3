"""Codes are drawn from a NumPy generator of its own without a seed, so no run can be repeated."""

import numpy as np
import torch
from torch import Tensor, nn

CAUGHT_BY = "initialisation"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.codes = nn.Parameter(self.draw())

    def draw(self) -> Tensor:
        return torch.from_numpy(np.random.default_rng().normal(size=(7, 4))).float()

    def forward(self, x: Tensor) -> Tensor:
        return -(torch.cdist(x, self.codes) ** 2)


class Right(Wrong):
    def draw(self) -> Tensor:
        return torch.randn(7, 4)
