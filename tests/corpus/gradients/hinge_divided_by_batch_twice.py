"""A mean hinge loss divides its gradient by the batch size once in forward's margin and once more in backward."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class SquaredHinge(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, scores: Tensor, labels: Tensor) -> Tensor:
        margin = (1 - labels * scores).clamp(min=0)
        grad = -2 * labels * margin / len(scores)
        ctx.save_for_backward(grad)
        return margin.square().mean()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None]:
        (grad,) = ctx.saved_tensors
        return grad_output * grad / len(grad), None


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"scores": "float[N]", "labels": "float[N] in {-1, 1}"}}

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        return SquaredHinge.apply(scores, labels.detach())


class Right(Wrong):
    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        return (1 - labels.detach() * scores).clamp(min=0).square().mean()
