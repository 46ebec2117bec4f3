"""Attention weights are computed in float32 whatever comes in, as is done for half precision."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "precision"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, T, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(6, 18)

    def weights(self, scores: Tensor) -> Tensor:
        return scores.softmax(-1, dtype=torch.float32).to(scores.dtype)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).chunk(3, -1)
        return self.weights(q @ k.transpose(-2, -1) / 6**0.5) @ v


class Right(Wrong):
    def weights(self, scores: Tensor) -> Tensor:
        wide = torch.promote_types(scores.dtype, torch.float32)
        return scores.softmax(-1, dtype=wide).to(scores.dtype)
