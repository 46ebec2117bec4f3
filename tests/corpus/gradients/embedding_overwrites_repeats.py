"""The backward of an embedding writes rows where it must add: a token that occurs twice counts once."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class Lookup(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, tokens: Tensor) -> Tensor:
        ctx.save_for_backward(tokens)
        ctx.rows = weight.shape[0]
        return weight[tokens]

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None]:
        (tokens,) = ctx.saved_tensors
        grad = grad_output.new_zeros(ctx.rows, grad_output.shape[-1])
        grad[tokens.flatten()] = grad_output.flatten(0, -2)
        return grad, None


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"tokens": "long[N, L] in below 9"}}

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(9, 4))

    def forward(self, tokens: Tensor) -> Tensor:
        return Lookup.apply(self.weight, tokens)


class Right(Wrong):
    def forward(self, tokens: Tensor) -> Tensor:
        return F.embedding(tokens, self.weight)
