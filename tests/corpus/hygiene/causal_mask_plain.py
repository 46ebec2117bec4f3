"""The causal mask of an attention is a plain tensor, so it stays on the CPU."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "registration"


class Wrong(nn.Module):
    __verifykit__ = {"init": {"dim": 8, "longest": 32}, "inputs": {"x": "float[N, L, dim]"}}

    def __init__(self, dim: int, longest: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(dim, 3 * dim)
        self.set_mask(torch.ones(longest, longest, dtype=torch.bool).triu(1))

    def set_mask(self, mask: Tensor) -> None:
        self.mask = mask

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).chunk(3, -1)
        length = x.shape[1]
        scores = q @ k.mT / q.shape[-1] ** 0.5
        return scores.masked_fill(self.mask[:length, :length], float("-inf")).softmax(-1) @ v


class Right(Wrong):
    def set_mask(self, mask: Tensor) -> None:
        self.register_buffer("mask", mask, persistent=False)
