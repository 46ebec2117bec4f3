"""A part scales its input in place, so a backward hook on it makes every step fail."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "hooks"


class Scale(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((6,), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        return x.mul_(self.scale)


class NewScale(Scale):
    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}
    scale: type[Scale] = Scale

    def __init__(self) -> None:
        super().__init__()
        self.branch = nn.Linear(6, 6)
        self.layer_scale = self.scale()

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layer_scale(self.branch(x))


class Right(Wrong):
    scale = NewScale
