"""A warm-up counts its steps in a Python integer, so that torch.compile compiles every step anew."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "compile"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(5, 4)
        self.calls = 0

    def count(self) -> None:
        self.calls += 1

    def forward(self, x: Tensor) -> Tensor:
        self.count()
        return self.linear(x).tanh()


class Right(Wrong):
    def __init__(self) -> None:
        super().__init__()
        del self.calls
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))

    def count(self) -> None:
        self.calls.add_(1)
