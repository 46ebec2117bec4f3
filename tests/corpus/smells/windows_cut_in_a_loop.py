"""A moving average cuts its windows one after the other, although none needs the one before."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "python-loop"


class Wrong(nn.Module):
    __verifykit__ = {"init": {"width": 3}, "inputs": {"x": "float[N, 2, L]"}}

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.ones(width) / width)

    def forward(self, x: Tensor) -> Tensor:
        width = len(self.weights)
        places = range(x.shape[-1] - width + 1)
        return torch.stack([(x[..., at : at + width] * self.weights).sum(-1) for at in places], -1)


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        return (x.unfold(-1, len(self.weights), 1) * self.weights).sum(-1)
