"""Gradients are collected in a list only where needed, so one that is left out shifts the others."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "gradient-subset"


class Interaction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, user: Tensor, item: Tensor) -> Tensor:
        ctx.save_for_backward(user, item)
        return (user * item).sum(-1)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, ...]:
        user, item = ctx.saved_tensors
        grads = []
        if ctx.needs_input_grad[0]:
            grads.append(grad_output[:, None] * item)
        if ctx.needs_input_grad[1]:
            grads.append(grad_output[:, None] * user)
        return tuple(grads)


class Wrong(nn.Module):
    """Matrix factorisation."""

    __verifykit__ = {"inputs": {"user": "long[N] in below 8", "item": "long[N] in below 6"}}

    def __init__(self) -> None:
        super().__init__()
        self.users, self.items = nn.Embedding(8, 4), nn.Embedding(6, 4)

    def interact(self, user: Tensor, item: Tensor) -> Tensor:
        return Interaction.apply(user, item)

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        return self.interact(self.users(user), self.items(item))


class Right(Wrong):
    def interact(self, user: Tensor, item: Tensor) -> Tensor:
        return (user * item).sum(-1)
