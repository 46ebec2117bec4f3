"""A legacy constructor leaves the bias as it finds memory; reset_parameters forgets it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "initialisation"


class Wrong(nn.Module):
    __verifykit__ = {"init": {"n": 5, "out": 3}, "inputs": {"x": "float[N, n]"}}

    def __init__(self, n: int, out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.Tensor(out, n))
        self.bias = nn.Parameter(torch.Tensor(out))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.kaiming_normal_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, F.normalize(self.weight), self.bias)


class Right(Wrong):
    def reset_parameters(self) -> None:
        super().reset_parameters()
        nn.init.zeros_(self.bias)
