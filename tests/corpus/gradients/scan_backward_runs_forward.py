"""The backward of a running sum along time sums from the front where it must sum from the back."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class RunningSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.cumsum(1)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output.cumsum(1)


class Wrong(nn.Module):
    """Linear attention, causal."""

    __verifykit__ = {"inputs": {"x": "float[N, T, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v = nn.Linear(4, 3), nn.Linear(4, 3), nn.Linear(4, 3)

    def accumulate(self, x: Tensor) -> Tensor:
        return RunningSum.apply(x)

    def forward(self, x: Tensor) -> Tensor:
        state = self.accumulate(self.k(x)[..., :, None] * self.v(x)[..., None, :])
        return (self.q(x)[..., None, :] @ state)[..., 0, :]


class Right(Wrong):
    def accumulate(self, x: Tensor) -> Tensor:
        return x.cumsum(1)
