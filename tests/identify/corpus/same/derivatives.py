"""Operations that bring their own backward, or come as a function."""
# ruff: noqa: ANN001, ANN201, ANN205

import math
from typing import Any

import torch
from torch import Tensor, nn

from tests.identify.corpus.entries import Same


class MyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output * (x > 0)


class SwishFunction(torch.autograd.Function):
    """Swish that keeps its input alone for the backward pass."""

    @staticmethod
    def forward(ctx, i):
        ctx.save_for_backward(i)
        return i * torch.sigmoid(i)

    @staticmethod
    def backward(ctx, grad_output):
        (i,) = ctx.saved_tensors
        s = torch.sigmoid(i)
        return grad_output * (s * (1 + i * (1 - s)))


class MemoryEfficientSwish(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return SwishFunction.apply(x)


class LinearFunction(torch.autograd.Function):
    """The example of torch's notes on extending."""

    @staticmethod
    def forward(ctx: Any, input: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(input, weight)
        return input.mm(weight.t())

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor]:
        input, weight = ctx.saved_tensors
        return grad_output.mm(weight), grad_output.t().mm(input)


def gelu(x):
    return x * 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0)))


def mse(y_hat: Tensor, y: Tensor) -> Tensor:
    """Mean squared error."""
    return ((y_hat - y) ** 2).sum() / y.numel()


def unit_vectors(x: Tensor) -> Tensor:
    norm = x.norm(dim=-1, keepdim=True)
    return x / torch.maximum(norm, torch.full_like(norm, 1e-12))


class SquareFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * grad


EXPECTED = {
    "MyReLU": Same(("ReLU", "relu")),
    "MemoryEfficientSwish": Same(("SiLU", "silu")),
    "LinearFunction": Same(("torch.nn.functional.linear", "linear")),
    "gelu": Same(("GELU", "gelu")),
    "mse": Same(("MSELoss", "mse_loss")),
    "unit_vectors": Same(("normalize",)),
    "SquareFunction": Same(("square", "pow")),
}
