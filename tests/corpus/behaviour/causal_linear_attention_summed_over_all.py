"""A causal linear attention sums its keys over the whole sequence where it should accumulate them."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "causality"


class Wrong(nn.Module):
    __verifykit__ = {"init": {"dim": 6}, "inputs": {"x": "float[L, N, dim]"}}

    def __init__(self, dim: int, is_causal: bool = True) -> None:
        super().__init__()
        self.is_causal = is_causal
        self.project = nn.Linear(dim, 3 * dim)

    def total(self, terms: Tensor) -> Tensor:
        return terms.sum(dim=0, keepdim=True)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.project(x).chunk(3, dim=-1)
        q, k = F.elu(q) + 1, F.elu(k) + 1
        memory = self.total(k[..., :, None] * v[..., None, :])
        norm = (q * self.total(k)).sum(dim=-1, keepdim=True)
        return (q[..., None, :] @ memory).squeeze(-2) / (norm + 1e-6)


class Right(Wrong):
    def total(self, terms: Tensor) -> Tensor:
        return terms.cumsum(dim=0)
