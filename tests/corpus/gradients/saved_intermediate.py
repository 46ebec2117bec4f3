"""The backward of a Swish uses a sigmoid saved in forward, so the second derivative takes it for a constant."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "double-backward"


class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        gate = torch.sigmoid(x)
        ctx.save_for_backward(x, gate)
        return x * gate

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        x, gate = ctx.saved_tensors
        return grad_output * gate * (1 + x * (1 - gate))


class Wrong(nn.Module):
    """A critic that a gradient penalty differentiates twice."""

    __verifykit__ = {"inputs": {"x": "float[N, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(5, 6), nn.Linear(6, 1)

    def activation(self, x: Tensor) -> Tensor:
        return Swish.apply(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.activation(self.hidden(x)))


class Right(Wrong):
    def activation(self, x: Tensor) -> Tensor:
        return nn.functional.silu(x)
