"""The weight gradient of a square linear layer is transposed, which its shape does not give away."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class Mix(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return x @ weight.T

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        return grad_output @ weight, x.T @ grad_output


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(6, 6) / 6**0.5)

    def forward(self, x: Tensor) -> Tensor:
        return x + Mix.apply(x, self.weight).relu()


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        return x + (x @ self.weight.T).relu()
