"""A hand-written linear Function meets a bfloat16 cotangent with float32 tensors that it saved."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "autocast"


class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return x @ weight.T

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        return gradient @ weight, gradient.T @ x


class Cast(Product):
    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        gradient = gradient.to(x.dtype)
        return gradient @ weight.to(x.dtype), (gradient.T @ x).to(weight.dtype)


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 5]"}}
    function = Product

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 5))

    def forward(self, x: Tensor) -> Tensor:
        return self.function.apply(x, self.weight)


class Right(Wrong):
    function = Cast
