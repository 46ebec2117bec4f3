"""In training, the backward of a batch norm takes the batch's statistics for constants, as in eval."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class Standardise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        rstd = torch.rsqrt(variance + 1e-5)
        ctx.save_for_backward(rstd)
        return (x - mean) * rstd

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None, None]:
        (rstd,) = ctx.saved_tensors
        return grad_output * rstd, None, None


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(4))
        self.register_buffer("variance", torch.ones(4))

    def standardise(self, x: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        return Standardise.apply(x, mean, variance)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return self.standardise(x, self.mean, self.variance)
        return self.standardise(x, x.mean(0), x.var(0, unbiased=False))


class Right(Wrong):
    def standardise(self, x: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        return (x - mean) * torch.rsqrt(variance + 1e-5)
