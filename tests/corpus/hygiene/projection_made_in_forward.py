"""A skip connection's projection is made in forward: random in each call, never trained."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "registration"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 4, L]"}}

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(4, 8, 3, padding=1)

    def skip(self, x: Tensor) -> Tensor:
        return nn.Conv1d(x.shape[1], 8, 1, bias=False).to(x)(x)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.conv(x)) + self.skip(x)


class Right(Wrong):
    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Conv1d(4, 8, 1, bias=False)

    def skip(self, x: Tensor) -> Tensor:
        return self.project(x)
