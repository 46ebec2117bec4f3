"""Activation checkpointing is given the bound forward of a block instead of the block."""

from torch import Tensor, nn

CAUGHT_BY = "hooks"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 4, 6, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.Tanh())
        self.runs = self.block.forward

    def forward(self, x: Tensor) -> Tensor:
        return x + self.recomputed(x)

    def recomputed(self, x: Tensor) -> Tensor:
        return self.runs(x)


class Right(Wrong):
    def recomputed(self, x: Tensor) -> Tensor:
        return self.block(x)
