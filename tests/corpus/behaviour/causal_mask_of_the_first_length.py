"""A decoder caches its causal mask for the first length that it sees and slices it for every later one."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "state-leak"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(6, 18)
        self.mask: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[1]
        if self.mask is None:
            self.mask = torch.ones(length, length, dtype=torch.bool, device=x.device).tril()
        query, key, value = self.qkv(x).chunk(3, -1)
        return F.scaled_dot_product_attention(query, key, value, self.mask[:length, :length])


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        if self.mask is not None and self.mask.shape[0] < x.shape[1]:
            self.mask = None
        return super().forward(x)
