"""The backward of a mean over neighbours hands out the gradient without dividing by the degree."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class NeighbourMean(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, messages: Tensor, receiver: Tensor, nodes: int) -> Tensor:
        ctx.save_for_backward(receiver)
        total = messages.new_zeros(nodes, messages.shape[-1]).index_add(0, receiver, messages)
        degree = torch.bincount(receiver, minlength=nodes).clamp(min=1)
        return total / degree[:, None]

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None, None]:
        (receiver,) = ctx.saved_tensors
        return grad_output[receiver], None, None


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"features": "float[6, 4]", "edges": "long[2, E] in below 6"}}

    def __init__(self) -> None:
        super().__init__()
        self.message = nn.Linear(4, 3)

    def mean(self, messages: Tensor, receiver: Tensor, nodes: int) -> Tensor:
        return NeighbourMean.apply(messages, receiver, nodes)

    def forward(self, features: Tensor, edges: Tensor) -> Tensor:
        sender, receiver = edges
        return self.mean(self.message(features)[sender], receiver, len(features))


class Right(Wrong):
    def mean(self, messages: Tensor, receiver: Tensor, nodes: int) -> Tensor:
        total = messages.new_zeros(nodes, messages.shape[-1]).index_add(0, receiver, messages)
        return total / torch.bincount(receiver, minlength=nodes).clamp(min=1)[:, None]
