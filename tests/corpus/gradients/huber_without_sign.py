"""The gradient of a Huber loss is delta in its linear part, where it must be delta times the sign."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class Huber(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, prediction: Tensor, target: Tensor, delta: float) -> Tensor:
        difference = prediction - target
        ctx.save_for_backward(difference)
        ctx.delta = delta
        size = difference.abs()
        return torch.where(size < delta, 0.5 * size**2, delta * (size - 0.5 * delta)).sum()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor, None]:
        (difference,) = ctx.saved_tensors
        slope = torch.where(difference.abs() < ctx.delta, difference, ctx.delta)
        return grad_output * slope, -grad_output * slope, None


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"prediction": "float[N, 3]", "target": "float[N, 3]"}}

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return Huber.apply(prediction, target, 1.0)


class Right(Wrong):
    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(prediction, target, reduction="sum")
