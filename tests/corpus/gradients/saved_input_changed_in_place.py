"""The input of a square is kept on ctx, past autograd's version counter, and then overwritten by an in-place ReLU."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class SquareSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.x = x
        return x.square().sum(-1, keepdim=True)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return 2 * ctx.x * grad_output


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(5, 4)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.linear(x)
        energy = SquareSum.apply(hidden)
        return hidden.relu_() / (1 + energy)


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        hidden = self.linear(x)
        energy = SquareSum.apply(hidden)
        return hidden.relu() / (1 + energy)
