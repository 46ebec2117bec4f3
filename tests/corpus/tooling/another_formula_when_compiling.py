"""A layer takes another road while it is being compiled, and that road has the approximate GELU."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "compile"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(4, 8), nn.Linear(8, 4)

    def activation(self, x: Tensor) -> Tensor:
        if torch.compiler.is_compiling():
            return 0.5 * x * (1 + torch.tanh(0.7978845608 * (x + 0.044715 * x**3)))
        return F.gelu(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.activation(self.up(x)))


class Right(Wrong):
    def activation(self, x: Tensor) -> Tensor:
        if torch.compiler.is_compiling():
            return 0.5 * x * (1 + torch.erf(x / 2**0.5))
        return F.gelu(x)
