"""A hand-written backward returns None for the temperature, which is a parameter."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "graph-cut"


class ScaledSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, scores: Tensor, temperature: Tensor) -> Tensor:
        weights = torch.softmax(scores / temperature, -1)
        ctx.save_for_backward(weights, temperature)
        return weights

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None]:
        weights, temperature = ctx.saved_tensors
        inner = weights * (grad_output - (grad_output * weights).sum(-1, keepdim=True))
        return inner / temperature, None


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.router = nn.Linear(6, 4)
        self.temperature = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return ScaledSoftmax.apply(self.router(x), self.temperature)


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        return torch.softmax(self.router(x) / self.temperature, -1)
