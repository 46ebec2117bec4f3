"""A hard sigmoid passes its gradient on outside the linear range too."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class HardSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return (x / 6 + 0.5).clamp(0, 1)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output / 6


class Wrong(nn.Module):
    """Squeeze and excitation."""

    __verifykit__ = {"inputs": {"x": "float[N, 4, H, H]"}}

    def __init__(self) -> None:
        super().__init__()
        self.squeeze, self.excite = nn.Linear(4, 2), nn.Linear(2, 4)
        nn.init.constant_(self.excite.bias, 4.0)

    def gate(self, x: Tensor) -> Tensor:
        return HardSigmoid.apply(x)

    def forward(self, x: Tensor) -> Tensor:
        scale = self.gate(self.excite(self.squeeze(x.mean((2, 3))).relu()))
        return x * scale[:, :, None, None]


class Right(Wrong):
    def gate(self, x: Tensor) -> Tensor:
        return (x / 6 + 0.5).clamp(0, 1)
