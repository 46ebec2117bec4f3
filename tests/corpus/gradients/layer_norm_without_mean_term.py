"""The backward of a layer norm forgets that the mean depends on the input."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class LayerNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        rstd = torch.rsqrt(x.var(-1, unbiased=False, keepdim=True) + 1e-5)
        normal = (x - x.mean(-1, keepdim=True)) * rstd
        ctx.save_for_backward(normal, rstd, weight)
        return normal * weight + bias

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        normal, rstd, weight = ctx.saved_tensors
        inner = grad_output * weight
        along = (inner * normal).mean(-1, keepdim=True)
        return (inner - normal * along) * rstd, (grad_output * normal).sum(0), grad_output.sum(0)


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(8))
        self.bias = nn.Parameter(torch.zeros(8))

    def forward(self, x: Tensor) -> Tensor:
        return LayerNormFunction.apply(x, self.weight, self.bias)


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, (8,), self.weight, self.bias)
