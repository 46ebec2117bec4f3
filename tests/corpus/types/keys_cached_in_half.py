"""Keys are stored in half precision and cast back, to save memory, and every precision pays."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "precision"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"query": "float[N, 6]", "memory": "float[N, T, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.key, self.value = nn.Linear(6, 6), nn.Linear(6, 6)

    def stored(self, x: Tensor) -> Tensor:
        return x.half().to(x.dtype)

    def forward(self, query: Tensor, memory: Tensor) -> Tensor:
        keys, values = self.stored(self.key(memory)), self.value(memory)
        weights = torch.einsum("nd,ntd->nt", query, keys).div(6**0.5).softmax(-1)
        return torch.einsum("nt,ntd->nd", weights, values)


class Right(Wrong):
    def stored(self, x: Tensor) -> Tensor:
        return x
