"""A gated unit saves (gate, value) and unpacks them as (value, gate)."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class GatedTanh(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, gate: Tensor) -> Tensor:
        ctx.save_for_backward(gate, value)
        return value * torch.sigmoid(gate)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor]:
        value, gate = ctx.saved_tensors
        open_ = torch.sigmoid(gate)
        return grad_output * open_, grad_output * value * open_ * (1 - open_)


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 4, L]"}}

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(4, 6, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.conv(x).chunk(2, dim=1)
        return GatedTanh.apply(value, gate)


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.conv(x).chunk(2, dim=1)
        return value * torch.sigmoid(gate)
