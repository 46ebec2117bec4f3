"""A router that reads its own decisions fills capacities that it makes on the CPU."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "device"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"tokens": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.router = nn.Linear(6, 3)
        self.scale = nn.Parameter(torch.ones(3))

    def load(self, tokens: Tensor) -> Tensor:
        return torch.zeros(3, dtype=tokens.dtype)

    def forward(self, tokens: Tensor) -> Tensor:
        chosen = self.router(tokens).argmax(-1)
        load = self.load(tokens)
        for expert in range(3):
            load[expert] = len(chosen[chosen == expert]) / len(tokens)
        return tokens * (self.scale * load)[chosen, None]


class Right(Wrong):
    def load(self, tokens: Tensor) -> Tensor:
        return tokens.new_zeros(3)
