"""Counts are compressed by log(1 + x), which loses the small ones."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "accuracy"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"rates": "float[N, 6] in [0, inf)"}}

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.linspace(0.5, 2.0, 6))

    def compress(self, x: Tensor) -> Tensor:
        return torch.log(1 + x)

    def forward(self, rates: Tensor) -> Tensor:
        return self.compress(self.gain * rates)


class Right(Wrong):
    def compress(self, x: Tensor) -> Tensor:
        return torch.log1p(x)
