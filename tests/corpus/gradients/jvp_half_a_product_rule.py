"""The jvp of a gated product differentiates the value and forgets the gate."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "forward-gradient"


class Gated(torch.autograd.Function):
    @staticmethod
    def forward(value: Tensor, gate: Tensor) -> Tensor:
        return value * torch.sigmoid(gate)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor]:
        value, gate = ctx.saved_tensors
        open_ = torch.sigmoid(gate)
        return grad_output * open_, grad_output * value * open_ * (1 - open_)

    @staticmethod
    def jvp(ctx: Any, value_tangent: Tensor, gate_tangent: Tensor) -> Tensor:
        _, gate = ctx.saved_tensors
        return value_tangent * torch.sigmoid(gate)


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(6, 8)

    def gated(self, value: Tensor, gate: Tensor) -> Tensor:
        return Gated.apply(value, gate)

    def forward(self, x: Tensor) -> Tensor:
        return self.gated(*self.project(x).chunk(2, -1))


class Right(Wrong):
    def gated(self, value: Tensor, gate: Tensor) -> Tensor:
        return value * torch.sigmoid(gate)
