"""Hand-written Functions whose backward is wrong in one way or another, by a relative amount."""

from typing import Any

import torch
from torch import Tensor


def linear(way: str, amount: float = 1.0) -> Any:
    """Return ``apply`` of ``x @ weight.T + bias`` with the gradient of the weight or bias wrong in this ``way``."""

    class Linear(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
            ctx.save_for_backward(x, weight)
            return x @ weight.T + bias

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Any:  # type: ignore[override]
            x, weight = ctx.saved_tensors
            grad_weight, grad_bias = grad.T @ x, grad.sum(0)
            match way:
                case "all":
                    grad_weight = grad_weight * (1 + amount)
                case "row":
                    grad_weight[1] *= 1 + amount
                case "column":
                    grad_weight[:, 2] *= 1 + amount
                case "element":
                    grad_weight[1, 2] *= 1 + amount
                case "sign":
                    grad_weight = -grad_weight
                case "transposed":
                    grad_weight = grad_weight.T.contiguous()
                case "missing":
                    return grad @ weight, None, grad_bias
                case "mean":
                    grad_bias = grad.mean(0)
                case "one sample":
                    grad_bias = grad[0]
            return grad @ weight, grad_weight, grad_bias

    return Linear.apply


def activation(way: str, amount: float = 1.0) -> Any:
    """Return ``apply`` of ``tanh`` whose gradient is wrong on negative inputs, or everywhere."""

    class Activation(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.save_for_backward(x)
            return torch.tanh(x)

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Any:  # type: ignore[override]
            (x,) = ctx.saved_tensors
            right = grad * (1 - torch.tanh(x) ** 2)
            return torch.where(x < 0, right * (1 + amount), right) if way == "negative" else right * (1 + amount)

    return Activation.apply


def convolution(amount: float = 1.0) -> Any:
    """Return ``apply`` of a 3x3 convolution whose input gradient is wrong at the border only."""

    class Convolution(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
            ctx.save_for_backward(x, weight)
            return torch.nn.functional.conv2d(x, weight, padding=1)

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Any:  # type: ignore[override]
            x, weight = ctx.saved_tensors
            grad_x = torch.nn.grad.conv2d_input(x.shape, weight, grad, padding=1)
            inner = grad_x[:, :, 1:-1, 1:-1].clone()
            grad_x = grad_x * (1 + amount)
            grad_x[:, :, 1:-1, 1:-1] = inner
            return grad_x, torch.nn.grad.conv2d_weight(x, weight.shape, grad, padding=1)

    return Convolution.apply
