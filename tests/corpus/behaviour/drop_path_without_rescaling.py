"""Stochastic depth drops whole branches in training and does not make up for it."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "train-eval"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 6]"}}

    def __init__(self, drop: float = 0.3) -> None:
        super().__init__()
        self.drop = drop
        self.norm = nn.LayerNorm(6)
        self.branch = nn.Sequential(nn.Linear(6, 12), nn.GELU(), nn.Linear(12, 6))

    def drop_path(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        keep = torch.rand(x.shape[0], 1, 1, dtype=x.dtype, device=x.device) >= self.drop
        return x * keep

    def forward(self, x: Tensor) -> Tensor:
        return x + self.drop_path(self.branch(self.norm(x)))


class Right(Wrong):
    def drop_path(self, x: Tensor) -> Tensor:
        return super().drop_path(x) / (1 - self.drop if self.training else 1.0)
