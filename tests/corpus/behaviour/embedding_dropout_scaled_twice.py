"""Dropout of whole words divides by the keep rate although functional dropout has done so already."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "train-eval"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"words": "long[N, L] in below 9"}}

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(9, 5)

    def mask(self, weight: Tensor) -> Tensor:
        keep = torch.empty(9, 1, dtype=weight.dtype, device=weight.device).bernoulli_(0.8)
        return keep / 0.8**2

    def forward(self, words: Tensor) -> Tensor:
        weight = self.table.weight
        if self.training:
            weight = weight * self.mask(weight)
        return F.embedding(words, weight)


class Right(Wrong):
    def mask(self, weight: Tensor) -> Tensor:
        return super().mask(weight) * 0.8
