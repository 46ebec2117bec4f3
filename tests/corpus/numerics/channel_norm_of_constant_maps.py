"""A normaliser of feature maps has its epsilon outside the root, so a constant map has no gradient."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "extremes"


class Wrong(nn.Module):
    """Instance normalisation after a convolution."""

    __verifykit__ = {"inputs": {"x": "float[N, 3, 6, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3, 1, 1))
        self.shift = nn.Parameter(torch.zeros(3, 1, 1))

    def deviation(self, centred: Tensor) -> Tensor:
        return centred.square().mean((2, 3), keepdim=True).sqrt() + 1e-5

    def forward(self, x: Tensor) -> Tensor:
        centred = x - x.mean((2, 3), keepdim=True)
        return centred / self.deviation(centred) * self.scale + self.shift


class Right(Wrong):
    def deviation(self, centred: Tensor) -> Tensor:
        return (centred.square().mean((2, 3), keepdim=True) + 1e-5).sqrt()
