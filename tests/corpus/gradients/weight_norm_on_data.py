"""Weight normalisation reads the direction through .data: only the magnitudes are trained."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "graph-cut"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 3, H, H]"}}

    def __init__(self) -> None:
        super().__init__()
        self.direction = nn.Parameter(torch.randn(4, 3, 3, 3))
        self.magnitude = nn.Parameter(torch.ones(4))

    def unit(self) -> Tensor:
        return self.direction.data / self.direction.data.flatten(1).norm(dim=1)[:, None, None, None]

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.magnitude[:, None, None, None] * self.unit(), padding=1)


class Right(Wrong):
    def unit(self) -> Tensor:
        return self.direction / self.direction.flatten(1).norm(dim=1)[:, None, None, None]
