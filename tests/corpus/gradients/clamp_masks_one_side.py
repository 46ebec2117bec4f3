"""The backward of a clamp masks what is above the upper bound and forgets the lower one."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class ClipRange(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, low: float, high: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.high = high
        return x.clamp(low, high)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        return grad_output * (x < ctx.high), None, None


class Wrong(nn.Module):
    """A Gaussian head whose log variance is kept in range."""

    __verifykit__ = {"inputs": {"x": "float[N, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.mean, self.log_variance = nn.Linear(5, 3), nn.Linear(5, 3)

    def clip(self, x: Tensor) -> Tensor:
        return ClipRange.apply(x, -0.3, 2.0)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.mean(x), self.clip(self.log_variance(x))


class Right(Wrong):
    def clip(self, x: Tensor) -> Tensor:
        return x.clamp(-0.3, 2.0)
