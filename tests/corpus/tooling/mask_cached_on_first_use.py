"""The first forward computes a softmax over learnt positions, later ones take it from a cache: they save less."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "checkpoint"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 5, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(5, 5))
        self.cached: Tensor | None = None

    def weights(self) -> Tensor:
        if self.cached is None:
            self.cached = self.positions.softmax(-1)
        weights, self.cached = self.cached, None if self.cached.grad_fn is None else self.cached.detach()
        return weights

    def forward(self, x: Tensor) -> Tensor:
        return self.weights() @ x


class Right(Wrong):
    def weights(self) -> Tensor:
        return self.positions.softmax(-1)
