"""A hand-written clamp zeroes the gradient it is given in place, which the other branches of the graph share."""

from typing import Any

import torch
from torch import Tensor

CAUGHT_BY = "purity"


class Wrong(torch.autograd.Function):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(-0.5, 0.5)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        grad[x.abs() > 0.5] = 0
        return grad


class Right(Wrong):
    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad.masked_fill(x.abs() > 0.5, 0)
