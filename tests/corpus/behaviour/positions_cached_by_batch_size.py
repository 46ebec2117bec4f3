"""Sinusoidal positions are cached under the batch size only: two lengths at one batch size share a table."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "state-leak"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(6))
        self.tables: dict[int | tuple[int, int], Tensor] = {}

    def key(self, x: Tensor) -> int | tuple[int, int]:
        return x.shape[0]

    def forward(self, x: Tensor) -> Tensor:
        key = self.key(x)
        if key not in self.tables:
            place = torch.linspace(0, 1, x.shape[1], dtype=x.dtype, device=x.device)
            rates = torch.arange(1, 7, dtype=x.dtype, device=x.device)
            self.tables[key] = torch.sin(place[:, None] * rates).mean(0, keepdim=True)
        return x + self.scale * self.tables[key]


class Right(Wrong):
    def key(self, x: Tensor) -> int | tuple[int, int]:
        return (x.shape[0], x.shape[1])
