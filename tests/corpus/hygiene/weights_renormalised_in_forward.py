"""A constrained layer rescales its weights in forward, frozen or not."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "freeze"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.prototypes = nn.Parameter(torch.randn(4, 6))

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(x, dim=-1) @ self.directions().T

    def directions(self) -> Tensor:
        self.prototypes.data = F.normalize(self.prototypes.data, dim=-1)
        return self.prototypes


class Right(Wrong):
    def directions(self) -> Tensor:
        return F.normalize(self.prototypes, dim=-1)
