"""A hypernetwork generates its weight once and keeps it, graph included, past the first backward and every update."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "state-leak"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}
    caches = True

    def __init__(self) -> None:
        super().__init__()
        self.code = nn.Parameter(torch.randn(3))
        self.generator = nn.Linear(3, 24)
        self.weight: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.weight is None or not self.caches:
            self.weight = torch.tanh(self.generator(self.code)).view(6, 4)
        return x @ self.weight


class Right(Wrong):
    caches = False
