"""A batch of position vectors is expanded to the size that the batch has in Python, as a fixed number."""

import math

import torch
from torch import Tensor, nn

CAUGHT_BY = "export"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 5, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(5, 4))

    def batch(self, x: Tensor) -> int:
        return int(math.prod(x.shape) / (5 * 4))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.table.expand(self.batch(x), 5, 4)


class Right(Wrong):
    def batch(self, x: Tensor) -> int:
        return x.shape[0]
