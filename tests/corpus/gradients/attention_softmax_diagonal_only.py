"""A fused attention differentiates its softmax as if it acted on every score alone."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class Attention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        weights = torch.softmax(q @ k.mT / q.shape[-1] ** 0.5, -1)
        ctx.save_for_backward(q, k, v, weights)
        return weights @ v

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v, weights = ctx.saved_tensors
        grad_weights = grad_output @ v.mT
        grad_scores = weights * (1 - weights) * grad_weights / q.shape[-1] ** 0.5
        return grad_scores @ k, grad_scores.mT @ q, weights.mT @ grad_output


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(6, 18)

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return Attention.apply(q, k, v)

    def forward(self, x: Tensor) -> Tensor:
        return self.attend(*self.project(x).chunk(3, -1))


class Right(Wrong):
    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(q, k, v)
