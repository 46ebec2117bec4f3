"""The learnt slope of an activation is bound once and for all by functools.partial."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "vmap"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 3, H, H]"}}

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.slope = nn.Parameter(torch.full((4,), 0.25))
        self.activation = partial(F.prelu, weight=self.slope)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.conv(x))


class Right(Wrong):
    def __init__(self) -> None:
        super().__init__()
        del self.activation

    def forward(self, x: Tensor) -> Tensor:
        return F.prelu(self.conv(x), self.slope)
