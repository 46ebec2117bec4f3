"""Learnt frequencies go through NumPy on their way to the positional encoding."""

import numpy as np
import torch
from torch import Tensor, nn

CAUGHT_BY = "graph-cut"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, T, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.frequencies = nn.Parameter(torch.tensor([0.3, 0.7, 1.1, 1.9]))

    def encoding(self, length: int) -> Tensor:
        angles = np.arange(length)[:, None] * self.frequencies.detach().numpy()
        return torch.from_numpy(np.sin(angles)).to(self.frequencies.dtype)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.encoding(x.shape[1])


class Right(Wrong):
    def encoding(self, length: int) -> Tensor:
        steps = torch.arange(length, dtype=self.frequencies.dtype)
        return torch.sin(steps[:, None] * self.frequencies)
