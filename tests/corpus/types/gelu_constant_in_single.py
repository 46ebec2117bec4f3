"""The constant of the tanh approximation of GELU is a float32 tensor."""

import math

import torch
from torch import Tensor, nn

CAUGHT_BY = "precision"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(6, 12), nn.Linear(12, 6)

    def root(self, x: Tensor) -> Tensor:
        return torch.tensor(math.sqrt(2 / math.pi), device=x.device)

    def forward(self, x: Tensor) -> Tensor:
        h = self.up(x)
        gate = 1 + torch.tanh(self.root(h) * (h + 0.044715 * h**3))
        return self.down(0.5 * h * gate)


class Right(Wrong):
    def root(self, x: Tensor) -> Tensor:
        return torch.tensor(math.sqrt(2 / math.pi), dtype=x.dtype, device=x.device)
