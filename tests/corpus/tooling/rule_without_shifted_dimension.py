"""A hand-written vmap rule puts the new dimension first and forgets that dimension 1 is dimension 2 now."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "vmap"


class ChannelSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.softmax(1)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (p,) = ctx.saved_tensors
        return p * (grad_output - (grad_output * p).sum(1, keepdim=True))

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int], x: Tensor) -> tuple[Tensor, int]:
        return ChannelSoftmax.apply(x.movedim(in_dims[0], 0)), 0


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 3, L]"}}

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(3, 4, 3, padding=1)

    def probabilities(self, x: Tensor) -> Tensor:
        return ChannelSoftmax.apply(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.probabilities(self.conv(x))


class Right(Wrong):
    def probabilities(self, x: Tensor) -> Tensor:
        return x.softmax(1)
