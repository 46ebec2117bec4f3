"""Inputs are cast to the type of the weight, complex ones to real numbers."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "complex"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.linspace(0.5, 1.5, 6))

    def cast(self, x: Tensor) -> Tensor:
        return x.to(self.gain.dtype)

    def forward(self, x: Tensor) -> Tensor:
        return self.cast(x) * self.gain


class Right(Wrong):
    def cast(self, x: Tensor) -> Tensor:
        return x.to(torch.promote_types(self.gain.dtype, x.dtype))
