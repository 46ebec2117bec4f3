"""A normaliser's running mean is a plain tensor: what it learns in training is lost in the checkpoint."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "registration"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(5))
        self.prepare(torch.zeros(5))

    def prepare(self, mean: Tensor) -> None:
        self.mean = mean

    def forward(self, x: Tensor) -> Tensor:
        mean = self.mean
        if self.training:
            mean = x.mean(0)
            self.mean = self.mean.to(x).lerp(mean.detach(), 0.1)
        return (x - mean) * self.gain


class Right(Wrong):
    def prepare(self, mean: Tensor) -> None:
        self.register_buffer("mean", mean)
