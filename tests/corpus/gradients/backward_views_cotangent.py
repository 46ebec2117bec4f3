"""The backward calls view on its cotangent, which raises as soon as that is not contiguous."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "gradient-layout"


class FlatLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return x @ weight.T

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        flat = grad_output.view(-1, weight.shape[0])
        return (flat @ weight).view(x.shape), flat.T @ x.reshape(-1, weight.shape[1])


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 5))

    def forward(self, x: Tensor) -> Tensor:
        return FlatLinear.apply(x, self.weight)


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight)
