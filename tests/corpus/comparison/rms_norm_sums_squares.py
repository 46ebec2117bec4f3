"""The root mean square norm divides by the norm: the squares are added up, not averaged."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "claim"


class Wrong(nn.Module):
    """Root mean square layer normalization."""

    def __init__(self, dim: int = 8, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.eps = eps

    def power(self, x: Tensor) -> Tensor:
        return x.pow(2).sum(-1, keepdim=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * x * torch.rsqrt(self.power(x) + self.eps)


class Right(Wrong):
    """Root mean square layer normalization."""

    def power(self, x: Tensor) -> Tensor:
        return x.pow(2).mean(-1, keepdim=True)
