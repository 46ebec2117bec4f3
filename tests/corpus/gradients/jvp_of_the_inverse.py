"""The jvp of a matrix inverse lost its minus sign."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "forward-gradient"


class Inverse(torch.autograd.Function):
    @staticmethod
    def forward(matrix: Tensor) -> Tensor:
        return torch.linalg.inv(matrix)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(output)
        ctx.save_for_forward(output)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (inverse,) = ctx.saved_tensors
        return -inverse.mT @ grad_output @ inverse.mT

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor) -> Tensor:
        (inverse,) = ctx.saved_tensors
        return inverse @ tangent @ inverse


class Wrong(nn.Module):
    """Kalman-style gain."""

    __verifykit__ = {"inputs": {"x": "float[N, 3]"}}

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.randn(3, 3) / 3)

    def inverse(self, matrix: Tensor) -> Tensor:
        return Inverse.apply(matrix)

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.inverse(torch.eye(3, dtype=x.dtype) + self.factor @ self.factor.mT)


class Right(Wrong):
    def inverse(self, matrix: Tensor) -> Tensor:
        return torch.linalg.inv(matrix)
