"""The hand-written gradient of a focal loss differentiates the logarithm and forgets the focusing factor."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class Focal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor, gamma: float) -> Tensor:
        p = torch.where(labels, logits.sigmoid(), (-logits).sigmoid())
        ctx.save_for_backward(p, labels)
        ctx.gamma = gamma
        return -((1 - p) ** gamma * p.log()).mean()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None, None]:
        p, labels = ctx.saved_tensors
        sign = torch.where(labels, 1.0, -1.0).to(p.dtype)
        return -grad_output * sign * (1 - p) ** (ctx.gamma + 1) / p.numel(), None, None


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"logits": "float[N, 3] in [-8, 8]", "labels": "bool[N, 3]"}}

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        return Focal.apply(logits, labels, 2.0)


class Right(Wrong):
    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        p = torch.where(labels, logits.sigmoid(), (-logits).sigmoid())
        return -((1 - p) ** 2 * p.log()).mean()
