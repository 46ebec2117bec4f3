"""A Huber loss shifts the error by its delta before it is measured."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "loss-minimum"


class Wrong(nn.Module):
    """Huber loss."""

    __verifykit__ = {"inputs": {"prediction": "float[N, 3]", "target": "float[N, 3]"}}

    def __init__(self, delta: float = 0.5) -> None:
        super().__init__()
        self.delta = delta

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        error = prediction - target + self.delta
        inside = error.abs() <= self.delta
        return torch.where(inside, 0.5 * error**2, self.delta * (error.abs() - 0.5 * self.delta)).mean()


class Right(Wrong):
    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        error = prediction - target
        inside = error.abs() <= self.delta
        return torch.where(inside, 0.5 * error**2, self.delta * (error.abs() - 0.5 * self.delta)).mean()
