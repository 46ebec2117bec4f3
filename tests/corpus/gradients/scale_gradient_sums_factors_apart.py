"""The gradient of a per-channel scale is a product of sums where it must be a sum of products."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class ChannelScale(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor) -> Tensor:
        ctx.save_for_backward(x, scale)
        return x * scale[:, None, None]

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor]:
        x, scale = ctx.saved_tensors
        return grad_output * scale[:, None, None], grad_output.sum((0, 2, 3)) * x.sum((0, 2, 3))


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 3, H, H]"}}

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((3,), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        return x + ChannelScale.apply(x, self.scale)


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        return x + x * self.scale[:, None, None]
