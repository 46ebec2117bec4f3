"""Scoring in chunks of 8 leaves out the samples of the last, incomplete chunk."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "shape-contract"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 5]"}}
    chunk = 8

    def __init__(self) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Linear(5, 16), nn.GELU(), nn.Linear(16, 2))

    def starts(self, count: int) -> range:
        return range(0, count - self.chunk + 1, self.chunk)

    def forward(self, x: Tensor) -> Tensor:
        if len(x) <= self.chunk:
            out: Tensor = self.score(x)
            return out
        return torch.cat([self.score(x[start : start + self.chunk]) for start in self.starts(len(x))])


class Right(Wrong):
    def starts(self, count: int) -> range:
        return range(0, count, self.chunk)
