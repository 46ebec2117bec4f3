"""A hand-made weight decay shrinks the weight in every forward, evaluation included."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "purity"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 3, L]"}}

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(3, 5, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            self.conv.weight.mul_(1 - 1e-4)
        return F.gelu(self.conv(x))


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(self.conv(x))

    def decay(self) -> None:
        with torch.no_grad():
            self.conv.weight.mul_(1 - 1e-4)
