"""The layer norm divides by torch.std, which is unbiased, plus eps."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "claim"


class Wrong(nn.Module):
    """Layer normalisation over the last dimension."""

    def __init__(self, dim: int = 8, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))
        self.eps = eps

    def spread(self, x: Tensor) -> Tensor:
        return x.std(-1, keepdim=True) + self.eps

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * (x - x.mean(-1, keepdim=True)) / self.spread(x) + self.bias


class Right(Wrong):
    """Layer normalisation over the last dimension."""

    def spread(self, x: Tensor) -> Tensor:
        return (x.var(-1, unbiased=False, keepdim=True) + self.eps).sqrt()
