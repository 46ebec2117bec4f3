"""A pre-activation block normalises and activates its input in place, so the residual it adds is another tensor."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "purity"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 4, H, W]"}}

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(2, 4)
        self.conv = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(torch.relu_(x).add_(self.norm(x)))


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(torch.relu(x) + self.norm(x))
