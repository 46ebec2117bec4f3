"""The padding mask is broadcast over the queries' dimension, not the keys'."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "mask"


class Wrong(nn.Module):
    """Self-attention with relative weights; ``mask`` is True for what is to be seen."""

    __verifykit__ = {"init": {"dim": 6}, "inputs": {"x": "float[N, L, dim]"}}

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.qk, self.v = nn.Linear(dim, 2 * dim), nn.Linear(dim, dim)
        self.norm = nn.LayerNorm(dim)

    def spread(self, mask: Tensor) -> Tensor:
        return mask[:, :, None]

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        q, k = self.qk(x).chunk(2, dim=-1)
        scores = torch.einsum("nqd,nkd->nqk", q, k)
        if mask is not None:
            scores = scores.masked_fill(~self.spread(mask), torch.finfo(scores.dtype).min)
        return self.norm(x + scores.softmax(dim=-1) @ self.v(x))


class Right(Wrong):
    def spread(self, mask: Tensor) -> Tensor:
        return mask[:, None, :]
