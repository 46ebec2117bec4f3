"""Group normalisation takes the variance as the difference of two large numbers."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "accuracy"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6, 5, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(6, 1, 1))
        self.shift = nn.Parameter(torch.zeros(6, 1, 1))

    def variance(self, groups: Tensor) -> Tensor:
        return (groups.square().mean(-1, keepdim=True) - groups.mean(-1, keepdim=True) ** 2).clamp_min(0)

    def forward(self, x: Tensor) -> Tensor:
        groups = x.reshape(len(x), 2, -1)
        normed = (groups - groups.mean(-1, keepdim=True)) * torch.rsqrt(self.variance(groups) + 1e-5)
        return normed.view_as(x) * self.scale + self.shift


class Right(Wrong):
    def variance(self, groups: Tensor) -> Tensor:
        return groups.var(-1, correction=0, keepdim=True)
