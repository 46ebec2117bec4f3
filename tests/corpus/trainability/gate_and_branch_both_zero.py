"""A residual branch ends in a layer of zeros and is multiplied by a gate of zero: together they never move."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "overfit"


class Wrong(nn.Module):
    """Gated cross-attention, reduced to its residual branch."""

    __verifykit__ = {"inputs": {"x": "float[N, 4]", "context": "float[N, 3]"}}

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4)
        self.mix = nn.Linear(7, 8)
        self.out = nn.Linear(8, 4)
        self.gate = nn.Parameter(torch.zeros(1))
        self.start()

    def start(self) -> None:
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        branch = self.out(torch.tanh(self.mix(torch.cat([self.norm(x), context], -1))))
        return x + self.gate.tanh() * branch


class Right(Wrong):
    def start(self) -> None:
        nn.init.normal_(self.out.weight, std=0.02)
