"""The causal mask is made at the first call and kept, so that a sequence of another length does not fit it."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "shape-contract"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(8, 24)
        self.mask: Tensor | None = None

    def causal(self, length: int) -> Tensor:
        if self.mask is None:
            self.mask = torch.ones(length, length, dtype=torch.bool).triu(1)
        return self.mask

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).chunk(3, -1)
        scores = q @ k.mT / 8**0.5
        return scores.masked_fill(self.causal(x.shape[1]), -torch.inf).softmax(-1) @ v


class Right(Wrong):
    def causal(self, length: int) -> Tensor:
        if self.mask is None or len(self.mask) < length:
            self.mask = torch.ones(length, length, dtype=torch.bool).triu(1)
        return self.mask[:length, :length]
