"""The weight gradient of an RMS norm uses the input where it must use the normalised input."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class RMSNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        rms = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)
        ctx.save_for_backward(x, weight, rms)
        return x * rms * weight

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor]:
        x, weight, rms = ctx.saved_tensors
        inner = grad_output * weight
        grad_x = rms * (inner - x * rms**2 * (inner * x).mean(-1, keepdim=True))
        return grad_x, (grad_output * x).sum(tuple(range(x.ndim - 1)))


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(6))

    def forward(self, x: Tensor) -> Tensor:
        return RMSNormFunction.apply(x, self.weight)


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight
