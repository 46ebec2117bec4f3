"""The gradient of a global max pool goes, whole, to every position that attains the maximum."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class GlobalMax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        top = x.amax(-1)
        ctx.save_for_backward(x, top)
        return top

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        x, top = ctx.saved_tensors
        return grad_output[..., None] * (x == top[..., None])


class Wrong(nn.Module):
    """Ties come from upsampling: each position stands twice in what is pooled."""

    __verifykit__ = {"inputs": {"x": "float[N, 4, L]"}}

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(4, 4, 1)

    def pool(self, x: Tensor) -> Tensor:
        return GlobalMax.apply(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(self.conv(x).repeat_interleave(2, -1))


class Right(Wrong):
    def pool(self, x: Tensor) -> Tensor:
        return x.max(-1).values
