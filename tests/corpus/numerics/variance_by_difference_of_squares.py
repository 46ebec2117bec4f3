"""A variance is computed as the mean of squares less the square of the mean, which falls below 0 by rounding."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "extremes"


class Wrong(nn.Module):
    """Mean and deviation pooled over time, as in speaker embeddings."""

    __verifykit__ = {"inputs": {"frames": "float[N, T, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(8, 3)

    def variance(self, frames: Tensor) -> Tensor:
        return frames.square().mean(1) - frames.mean(1).square()

    def forward(self, frames: Tensor) -> Tensor:
        deviation = (self.variance(frames) + 1e-8).sqrt()
        return self.project(torch.cat([frames.mean(1), deviation], -1))


class Right(Wrong):
    def variance(self, frames: Tensor) -> Tensor:
        return frames.var(1, unbiased=False)
