"""A learnt threshold keeps what is above it by a comparison, so NaN silently becomes 0."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "nan-propagation"


class Wrong(nn.Module):
    """A convolution, cut off below a threshold for each channel."""

    __verifykit__ = {"inputs": {"x": "float[N, 2, 7]"}}

    def __init__(self) -> None:
        super().__init__()
        self.threshold = nn.Parameter(torch.zeros(2, 1))

    def cut(self, x: Tensor) -> Tensor:
        return torch.where(x > self.threshold, x - self.threshold, 0.0)

    def forward(self, x: Tensor) -> Tensor:
        return self.cut(x).mean(-1)


class Right(Wrong):
    def cut(self, x: Tensor) -> Tensor:
        return torch.relu(x - self.threshold)
