"""A bilinear scorer loops over the samples of the batch."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "python-loop"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"query": "float[N, 4]", "keys": "float[N, K, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 4))

    def forward(self, query: Tensor, keys: Tensor) -> Tensor:
        scores = []
        for sample, own in zip(query, keys, strict=True):
            scores.append(own @ (self.weight @ sample))
        return torch.stack(scores)


class Right(Wrong):
    def forward(self, query: Tensor, keys: Tensor) -> Tensor:
        return (keys @ (query @ self.weight.T)[..., None]).squeeze(-1)
