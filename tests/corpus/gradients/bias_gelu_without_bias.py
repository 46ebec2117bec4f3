"""The backward of a fused bias and GELU takes the derivative at x, not at x + bias."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class BiasGelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, bias)
        return F.gelu(x + bias)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor]:
        x, _ = ctx.saved_tensors
        cdf = 0.5 * (1 + torch.erf(x / math.sqrt(2)))
        density = torch.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
        grad_x = grad_output * (cdf + x * density)
        return grad_x, grad_x.sum((0, 1))


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(6, 8, bias=False)
        self.bias = nn.Parameter(0.5 * torch.randn(8))

    def forward(self, x: Tensor) -> Tensor:
        return BiasGelu.apply(self.up(x), self.bias)


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(self.up(x) + self.bias)
