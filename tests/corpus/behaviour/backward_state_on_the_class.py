"""A hand-written softplus keeps its input on the class instead of in ctx, so a second forward overwrites it."""

from typing import Any

import torch
from torch import Tensor

CAUGHT_BY = "state-leak"


class Wrong(torch.autograd.Function):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}
    saved: list[Tensor] = []

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        Wrong.saved = [x.detach()]
        return torch.nn.functional.softplus(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * torch.sigmoid(Wrong.saved[0])


class Right(Wrong):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.nn.functional.softplus(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * torch.sigmoid(x)
