"""Positions beyond the end of the learnt table are cut off, tokens and all, without a word."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "shape-contract"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(32, 4))
        self.mix = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, : len(self.positions)]
        out: Tensor = self.mix(x + self.positions[: x.shape[1]])
        return out


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        if x.shape[1] > len(self.positions):
            raise ValueError(f"at most {len(self.positions)} positions, {x.shape[1]} given")
        out: Tensor = self.mix(x + self.positions[: x.shape[1]])
        return out
