"""The linear part of the Huber loss lacks its factor delta."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "claim"


class Wrong(nn.Module):
    """Huber loss."""

    __verifykit__ = {"inputs": {"prediction": "float[N, 3]", "target": "float[N, 3]"}}

    def __init__(self, delta: float = 0.5) -> None:
        super().__init__()
        self.delta = delta

    def linear(self, d: Tensor) -> Tensor:
        return d - self.delta / 2

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        d = (prediction - target).abs()
        return torch.where(d <= self.delta, d.square() / 2, self.linear(d)).mean()


class Right(Wrong):
    """Huber loss."""

    def linear(self, d: Tensor) -> Tensor:
        return self.delta * (d - self.delta / 2)
