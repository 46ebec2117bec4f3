"""A custom Function's backward hands every sample the mean gradient of the batch."""

from typing import Any

import torch
from torch import Tensor

CAUGHT_BY = "batch-independence"


class Wrong(torch.autograd.Function):
    """Rounds each value of a (batch, time, features) tensor, and lets the gradient straight through."""

    __verifykit__ = {"inputs": {"x": "float[N, L, 6]"}}

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return (4 * x).round() / 4

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient.mean(dim=0, keepdim=True).expand_as(gradient)


class Right(Wrong):
    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient
