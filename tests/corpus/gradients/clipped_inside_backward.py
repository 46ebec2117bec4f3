"""A layer clips the gradient that passes through it, which is for the optimiser to do: backward is no longer linear."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "gradient-layout"


class Guarded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output.clamp(-2.0, 2.0)


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.score = nn.Linear(4, 4)

    def guard(self, x: Tensor) -> Tensor:
        return Guarded.apply(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.guard(torch.tanh(self.score(x)))


class Right(Wrong):
    def guard(self, x: Tensor) -> Tensor:
        return x.clone()
