"""The causal mask of an attention begins one diagonal too far up, so that each token sees the next."""

import math

import torch
from torch import Tensor, nn

CAUGHT_BY = "causality"


class Wrong(nn.Module):
    __verifykit__ = {"init": {"dim": 8, "heads": 2, "causal": True}, "inputs": {"x": "float[N, L, dim]"}}

    diagonal = 2

    def __init__(self, dim: int, heads: int, causal: bool) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        n, length, dim = x.shape
        q, k, v = self.qkv(x).view(n, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        if self.causal:
            future = torch.ones(length, length, dtype=torch.bool).triu(self.diagonal)
            scores = scores.masked_fill(future, float("-inf"))
        seen = scores.softmax(dim=-1) @ v
        return self.out(seen.transpose(1, 2).reshape(n, length, dim))


class Right(Wrong):
    diagonal = 1
