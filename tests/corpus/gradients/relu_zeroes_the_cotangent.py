"""A squared ReLU zeroes entries of grad_output itself, a tensor that belongs to the caller."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "gradient-layout"


class SquaredReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.relu().square()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        grad_output[x < 0] = 0
        return 2 * grad_output * x


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 5]"}}

    def forward(self, x: Tensor) -> Tensor:
        return SquaredReLU.apply(x)


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        return x.relu().square()
