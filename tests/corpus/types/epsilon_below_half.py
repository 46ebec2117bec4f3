"""Cosine similarity to learnt anchors divides by a norm plus 1e-8, which float16 rounds to zero."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "low-precision"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.anchors = nn.Parameter(torch.randn(4, 6))

    def epsilon(self, x: Tensor) -> float:
        return 1e-8

    def unit(self, x: Tensor) -> Tensor:
        return x / (torch.linalg.vector_norm(x, dim=-1, keepdim=True) + self.epsilon(x))

    def forward(self, x: Tensor) -> Tensor:
        return self.unit(x) @ self.unit(self.anchors).T


class Right(Wrong):
    def epsilon(self, x: Tensor) -> float:
        return torch.finfo(x.dtype).tiny ** 0.5
