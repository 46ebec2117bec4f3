"""The bias of a hidden layer starts so low that no unit ever fires, and ReLU passes no gradient back."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "overfit"


class Wrong(nn.Module):
    """A sparse feed-forward block: few units are to be active."""

    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    sparsity = 12.0

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(6, 12), nn.Linear(12, 6)
        nn.init.constant_(self.inner.bias, -self.sparsity)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.outer(torch.relu(self.inner(x)))


class Right(Wrong):
    sparsity = 0.3
