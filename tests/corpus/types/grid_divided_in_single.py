"""Normalised coordinates come from dividing integers, in float32, and are cast afterwards."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "precision"


class Wrong(nn.Module):
    """Appends a coordinate channel to a feature map."""

    __verifykit__ = {"inputs": {"x": "float[N, 3, 7]"}}

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(4, 5, 3, padding=1)

    def places(self, x: Tensor) -> Tensor:
        return torch.arange(x.shape[-1], device=x.device)

    def forward(self, x: Tensor) -> Tensor:
        places = self.places(x)
        grid = (places / x.shape[-1]).to(x.dtype).expand(len(x), 1, -1)
        return self.conv(torch.cat([x, grid], 1))


class Right(Wrong):
    def places(self, x: Tensor) -> Tensor:
        return torch.arange(x.shape[-1], dtype=x.dtype, device=x.device)
