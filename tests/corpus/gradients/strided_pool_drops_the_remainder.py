"""The backward of a strided average pool spreads the gradient one window too far to the right."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class PairAverage(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.length = x.shape[-1]
        return F.avg_pool1d(x, 2)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        spread = grad_output.repeat_interleave(2, dim=-1) / 2
        return F.pad(spread, (ctx.length - spread.shape[-1], 0))


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 3, L]"}}

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(3, 4, 3, padding=1)

    def pool(self, x: Tensor) -> Tensor:
        return PairAverage.apply(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(torch.tanh(self.conv(x)))


class Right(Wrong):
    def pool(self, x: Tensor) -> Tensor:
        return F.avg_pool1d(x, 2)
