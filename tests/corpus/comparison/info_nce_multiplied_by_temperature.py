"""Similarities are multiplied by the temperature, which flattens what it is to sharpen."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CAUGHT_BY = "claim"


class Wrong(nn.Module):
    """InfoNCE loss over a batch of pairs."""

    __verifykit__ = {"inputs": {"query": "float[N, 6]", "key": "float[N, 6]"}}

    def __init__(self, temperature: float = 0.2) -> None:
        super().__init__()
        self.temperature = temperature

    def scaled(self, scores: Tensor) -> Tensor:
        return scores * self.temperature

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        scores = F.normalize(query, dim=-1) @ F.normalize(key, dim=-1).T
        return F.cross_entropy(self.scaled(scores), torch.arange(len(query)))


class Right(Wrong):
    """InfoNCE loss over a batch of pairs."""

    def scaled(self, scores: Tensor) -> Tensor:
        return scores / self.temperature
