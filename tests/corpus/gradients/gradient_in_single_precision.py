"""The backward computes in float32, whatever precision the module runs in."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class SwishFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        x = ctx.saved_tensors[0].float()
        gate = torch.sigmoid(x)
        return (grad_output.float() * (gate + x * gate * (1 - gate))).to(grad_output.dtype)


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        return SwishFunction.apply(self.linear(x))


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.silu(self.linear(x))
