"""An activation selects between two branches; the one that was not chosen overflows and its gradient is NaN."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "extremes"


class Wrong(nn.Module):
    """A convolution with a learnt exponential linear unit."""

    __verifykit__ = {"inputs": {"x": "float[N, 2, 7]"}}

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(2, 4, 3, padding=1)
        self.alpha = nn.Parameter(torch.ones(4, 1))

    def activation(self, x: Tensor) -> Tensor:
        return torch.where(x > 0, x, self.alpha * (x.exp() - 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.conv(x))


class Right(Wrong):
    def activation(self, x: Tensor) -> Tensor:
        return torch.where(x > 0, x, self.alpha * torch.expm1(x.clamp(max=0)))
