"""Pooling scores are squeezed too far, so that the softmax finds no second dimension for one sample."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "batch-size-one"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(6, 1)

    def weights(self, x: Tensor) -> Tensor:
        return self.query(x).squeeze().softmax(dim=1)  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("nl,nld->nd", self.weights(x), x)


class Right(Wrong):
    def weights(self, x: Tensor) -> Tensor:
        return self.query(x).squeeze(-1).softmax(dim=1)  # type: ignore[no-any-return]
