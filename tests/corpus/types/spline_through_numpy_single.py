"""A hand-written activation is evaluated by NumPy in float32."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

CAUGHT_BY = "precision"


class Softplus(torch.autograd.Function):
    kind: Any = np.float32

    @classmethod
    def forward(cls, ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        values = x.detach().cpu().numpy().astype(cls.kind)
        return torch.from_numpy(np.logaddexp(0, values)).to(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gradient * torch.sigmoid(x)


class SoftplusInDouble(Softplus):
    kind = np.float64


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}
    activation = Softplus

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation.apply(self.linear(x))


class Right(Wrong):
    activation = SoftplusInDouble
