"""Attention joins two dimensions by view, which does not work on what comes out of a transpose."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "memory-layout"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.Parameter(torch.ones(8))
        self.project = nn.Linear(8, 8)

    def rows(self, x: Tensor) -> Tensor:
        return x.view(-1, 8)

    def forward(self, x: Tensor) -> Tensor:
        q = self.project(self.rows(x)).reshape(*x.shape[:2], 2, 4).transpose(1, 2)
        return (q @ q.mT / 2).softmax(-1) @ q * self.norm[:4]


class Right(Wrong):
    def rows(self, x: Tensor) -> Tensor:
        return x.reshape(-1, 8)
