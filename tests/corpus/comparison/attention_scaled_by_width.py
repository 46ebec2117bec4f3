"""Attention scores are divided by the width of a head instead of its root."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "claim"


class Wrong(nn.Module):
    """Multi-head self-attention."""

    __verifykit__ = {"inputs": {"x": "float[N, L, 8]"}}

    def __init__(self, dim: int = 8, heads: int = 2) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def scale(self, width: int) -> float:
        return 1 / width

    def forward(self, x: Tensor) -> Tensor:
        n, length, dim = x.shape
        q, k, v = (t.view(n, length, self.heads, -1).transpose(1, 2) for t in self.qkv(x).chunk(3, dim=-1))
        weights = torch.softmax(q @ k.transpose(-2, -1) * self.scale(q.shape[-1]), dim=-1)
        return self.out((weights @ v).transpose(1, 2).reshape(n, length, dim))


class Right(Wrong):
    """Multi-head self-attention."""

    def scale(self, width: int) -> float:
        return width**-0.5
