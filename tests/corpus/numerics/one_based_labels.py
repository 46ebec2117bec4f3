"""Ids are taken to count from 1, so that 0 wraps around to the last row of the table."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "integer-range"


class Wrong(nn.Module):
    """A table of class centres."""

    __verifykit__ = {"inputs": {"x": "float[N, 4]", "label": "long[N] in below 6"}}

    first = 1

    def __init__(self) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.randn(6, 4))

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        return (x - self.centres[label - self.first]).square().sum(-1)


class Right(Wrong):
    first = 0

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        return (x - self.centres.index_select(0, label)).square().sum(-1)
