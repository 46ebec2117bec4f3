"""A hand-written sigmoid keeps its output as an attribute of ctx: a cycle that no collector frees."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "state-leak"


class Cyclic(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.y = 1 / (1 + (-x).exp())
        return ctx.y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * ctx.y * (1 - ctx.y)


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(6, 4)

    def activate(self, x: Tensor) -> Tensor:
        return Cyclic.apply(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.activate(self.linear(x))


class Right(Wrong):
    def activate(self, x: Tensor) -> Tensor:
        return torch.sigmoid(x)
