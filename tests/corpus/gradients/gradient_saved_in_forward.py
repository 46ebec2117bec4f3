"""A fused loss computes its gradient in forward and saves it: right once, zero curvature the second time."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "double-backward"


class FusedMSE(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, prediction: Tensor, target: Tensor) -> Tensor:
        difference = prediction - target
        ctx.save_for_backward(2 * difference / difference.numel())
        return difference.square().mean()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor]:
        (gradient,) = ctx.saved_tensors
        return grad_output * gradient, -grad_output * gradient


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"prediction": "float[N, 3]", "target": "float[N, 3]"}}

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return FusedMSE.apply(prediction, target)


class Right(Wrong):
    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(prediction, target)
