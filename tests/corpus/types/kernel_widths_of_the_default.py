"""Radial basis features over several widths, listed in a tensor of the default type."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "default-dtype"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.randn(6, 5))

    def rates(self, x: Tensor) -> Tensor:
        return torch.tensor([0.125, 0.5, 2.0], device=x.device)

    def forward(self, x: Tensor) -> Tensor:
        distance = torch.cdist(x, self.centres)
        return torch.exp(-distance[..., None] * self.rates(x)).flatten(1)


class Right(Wrong):
    def rates(self, x: Tensor) -> Tensor:
        return torch.tensor([0.125, 0.5, 2.0], dtype=x.dtype, device=x.device)
