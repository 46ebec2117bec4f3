"""Both halves of a low-rank adapter start at zero, so neither ever has a gradient."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "initialisation"


class Wrong(nn.Module):
    __verifykit__ = {"init": {"dim": 6, "rank": 2}, "inputs": {"x": "float[N, dim]"}}

    def __init__(self, dim: int, rank: int) -> None:
        super().__init__()
        self.base = nn.Linear(dim, dim)
        self.down = nn.Parameter(torch.zeros(rank, dim))
        self.up = nn.Parameter(torch.zeros(dim, rank))

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + x @ self.down.T @ self.up.T


class Right(Wrong):
    def __init__(self, dim: int, rank: int) -> None:
        super().__init__(dim, rank)
        nn.init.normal_(self.down, std=0.02)
