"""A positional encoding of a batch-first model is indexed by the batch."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "batch-permutation"


class Wrong(nn.Module):
    """Adds sinusoidal positions to embeddings (batch, time, features)."""

    __verifykit__ = {"init": {"width": 6}, "inputs": {"x": "float[N, L, 6]"}}

    table: Tensor

    def __init__(self, width: int, longest: int = 256) -> None:
        super().__init__()
        position = torch.arange(longest)[:, None] / 10000 ** (torch.arange(0, width, 2) / width)
        self.register_buffer("table", torch.cat([position.sin(), position.cos()], dim=-1))

    def positions(self, x: Tensor) -> Tensor:
        return self.table[: x.shape[0], None]

    def forward(self, x: Tensor) -> Tensor:
        return x + self.positions(x)


class Right(Wrong):
    def positions(self, x: Tensor) -> Tensor:
        return self.table[: x.shape[1]]
