"""Token vectors are scaled in place on arrival: the second forward finds them scaled already."""

import math

from torch import Tensor, nn

CAUGHT_BY = "checkpoint"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"tokens": "float[N, L, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.Linear(8, 8)

    def scaled(self, tokens: Tensor) -> Tensor:
        return tokens.mul_(math.sqrt(8))

    def forward(self, tokens: Tensor) -> Tensor:
        return self.norm(self.scaled(tokens)).tanh()


class Right(Wrong):
    def scaled(self, tokens: Tensor) -> Tensor:
        return tokens * math.sqrt(8)
