"""An exponential unit subtracts one from an exponential near one."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "accuracy"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 4, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(4, 4, 3, padding=1, bias=False)

    def below(self, x: Tensor) -> Tensor:
        return torch.exp(x) - 1

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return torch.where(y > 0, y, self.below(y.clamp(max=0)))


class Right(Wrong):
    def below(self, x: Tensor) -> Tensor:
        return torch.expm1(x)
