"""The backward reads its cotangent's storage as if it were contiguous."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "gradient-layout"


class Heads(torch.autograd.Function):
    """``(N, L, heads * size)`` to ``(N, heads, L, size)``."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, heads: int) -> Tensor:
        ctx.shape = x.shape
        return x.unflatten(-1, (heads, -1)).transpose(1, 2).contiguous()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None]:
        n, length, width = ctx.shape
        heads, size = grad_output.shape[1], grad_output.shape[3]
        offset = grad_output.storage_offset()
        strides = (heads * length * size, size, length * size, 1)
        return grad_output.as_strided((n, length, heads, size), strides, offset).reshape(n, length, width), None


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 6]"}}

    def forward(self, x: Tensor) -> Tensor:
        return Heads.apply(x, 2)


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (2, -1)).transpose(1, 2).contiguous()
