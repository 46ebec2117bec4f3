"""The hand-written backward of a gated unit multiplies an overflowed exponential by a vanished sigmoid."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "extremes"


class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        e = torch.exp(-x)
        return grad_output * (1 + e + x * e) / (1 + e) ** 2


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.value = nn.Linear(6, 4), nn.Linear(6, 4)

    def swish(self, x: Tensor) -> Tensor:
        return Swish.apply(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.swish(self.gate(x)) * self.value(x)


class Right(Wrong):
    def swish(self, x: Tensor) -> Tensor:
        return nn.functional.silu(x)
