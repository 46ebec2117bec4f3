"""The random projection of a kernel approximation is no buffer, so a restored module uses another one."""

import math

import torch
from torch import Tensor, nn

CAUGHT_BY = "registration"


class Wrong(nn.Module):
    __verifykit__ = {"init": {"dim": 5, "features": 16}, "inputs": {"x": "float[N, dim]"}}

    def __init__(self, dim: int, features: int) -> None:
        super().__init__()
        self.keep("directions", torch.randn(dim, features))
        self.keep("phases", 2 * math.pi * torch.rand(features))
        self.head = nn.Linear(features, 1)

    def keep(self, name: str, value: Tensor) -> None:
        setattr(self, name, value)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.cos(x @ self.directions.to(x.dtype) + self.phases))


class Right(Wrong):
    def keep(self, name: str, value: Tensor) -> None:
        self.register_buffer(name, value)
