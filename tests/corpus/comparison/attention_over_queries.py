"""Softmax is taken over the queries, so that the weights of a query do not sum to one."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "claim"


class Wrong(nn.Module):
    """Scaled dot product attention."""

    __verifykit__ = {"inputs": {"q": "float[N, L, D]", "k": "float[N, S, D]", "v": "float[N, S, D]"}}

    over = 1

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        scores = torch.einsum("nld,nsd->nls", q, k) / q.shape[-1] ** 0.5
        return scores.softmax(dim=self.over) @ v


class Right(Wrong):
    """Scaled dot product attention."""

    over = 2
