"""Masked scores get -1e9, which does not fit into float16."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "dtype"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, T, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(6, 18)

    def blocked(self, scores: Tensor) -> float:
        return -1e9

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).chunk(3, -1)
        scores = q @ k.transpose(-2, -1) / 6**0.5
        later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=x.device).triu(1)
        return scores.masked_fill(later, self.blocked(scores)).softmax(-1) @ v


class Right(Wrong):
    def blocked(self, scores: Tensor) -> float:
        return torch.finfo(scores.dtype).min
