"""The representation reads the shape of a bias that is None by default."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "repr"


class Wrong(nn.Module):
    __verifykit__ = {"init": {"n": 4}, "inputs": {"x": "float[N, n]"}}

    def __init__(self, n: int, bias: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n, n) / n**0.5)
        self.register_parameter("bias", nn.Parameter(torch.zeros(n)) if bias else None)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"weight={tuple(self.weight.shape)}, bias={tuple(self.bias.shape)}"


class Right(Wrong):
    def extra_repr(self) -> str:
        return f"weight={tuple(self.weight.shape)}, bias={self.bias is not None}"
