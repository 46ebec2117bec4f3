"""The backward of a cosine similarity treats the norms as constants."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class Cosine(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        norms = a.norm(dim=-1, keepdim=True) * b.norm(dim=-1, keepdim=True)
        ctx.save_for_backward(a, b, norms)
        return (a * b).sum(-1) / norms[..., 0]

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor]:
        a, b, norms = ctx.saved_tensors
        grad = grad_output[..., None] / norms
        return grad * b, grad * a


class Wrong(nn.Module):
    """Two towers."""

    __verifykit__ = {"inputs": {"query": "float[N, 5]", "key": "float[N, 7]"}}

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(5, 4), nn.Linear(7, 4)

    def similarity(self, a: Tensor, b: Tensor) -> Tensor:
        return Cosine.apply(a, b)

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        return self.similarity(self.left(query), self.right(key))


class Right(Wrong):
    def similarity(self, a: Tensor, b: Tensor) -> Tensor:
        return F.cosine_similarity(a, b, -1)
