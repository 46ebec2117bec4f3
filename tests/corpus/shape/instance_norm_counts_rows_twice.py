"""A hand-written instance normalisation counts the rows twice, and leaves the mean of other than square images in."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "non-square"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 4, H, W]"}}

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(4) + 0.5)

    def count(self, x: Tensor) -> int:
        return x.shape[2] * x.shape[2]

    def forward(self, x: Tensor) -> Tensor:
        mean = x.sum((2, 3), keepdim=True) / self.count(x)
        spread = (x - mean).square().sum((2, 3), keepdim=True) / self.count(x)
        return (x - mean) * (spread + 1e-5).rsqrt() * self.weight[:, None, None]


class Right(Wrong):
    def count(self, x: Tensor) -> int:
        return x.shape[2] * x.shape[3]
