"""Heads are split off by a view where a transpose is needed, which moves values across samples."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "batch-independence"


class Wrong(nn.Module):
    __verifykit__ = {"init": {"dim": 8, "heads": 2}, "inputs": {"x": "float[N, L, dim]"}}

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_qkv = nn.Linear(dim, 3 * dim)

    def split(self, x: Tensor) -> Tensor:
        n, length, dim = x.shape
        return x.reshape(length, n, self.heads, dim // self.heads).permute(1, 2, 0, 3)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = map(self.split, self.to_qkv(x).chunk(3, dim=-1))
        seen = F.scaled_dot_product_attention(q, k, v)
        return seen.transpose(1, 2).flatten(2)


class Right(Wrong):
    def split(self, x: Tensor) -> Tensor:
        n, length, dim = x.shape
        return x.reshape(n, length, self.heads, dim // self.heads).transpose(1, 2)
