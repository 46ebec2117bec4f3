"""Functional dropout stays active in eval mode."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "determinism"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(self.linear(x), 0.2)


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(self.linear(x), 0.2, training=self.training)
