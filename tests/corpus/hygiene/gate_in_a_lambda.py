"""A gate is kept as a lambda over self, so a copy computes with the original's weights."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "copy"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.value, self.gate = nn.Linear(6, 8), nn.Linear(6, 8)
        self.out = nn.Linear(8, 6)
        self.blend = lambda x: self.value(x) * torch.sigmoid(self.gate(x))

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.blend(x))


class Right(Wrong):
    def __init__(self) -> None:
        super().__init__()
        del self.blend

    def blend(self, x: Tensor) -> Tensor:
        return self.value(x) * torch.sigmoid(self.gate(x))
