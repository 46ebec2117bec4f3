"""Gates are collected in a plain list as well, and used from there: torch.func replaces the attributes only."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "vmap"


class Wrong(nn.Module):
    """A cross network, as in recommenders."""

    __verifykit__ = {"inputs": {"x": "float[N, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Parameter(torch.randn(5)), nn.Parameter(torch.randn(5))
        self.crosses = [self.first, self.second]

    def weights(self) -> list[nn.Parameter]:
        return self.crosses

    def forward(self, x: Tensor) -> Tensor:
        out = x
        for weight in self.weights():
            out = x * (out @ weight)[:, None] + out
        return out


class Right(Wrong):
    def weights(self) -> list[nn.Parameter]:
        return [self.first, self.second]
