"""The error function is taken of x instead of x over the root of two."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "claim"


class Wrong(nn.Module):
    """GELU activation."""

    __verifykit__ = {"inputs": {"x": "float[N, 4]"}}

    scale = 1.0

    def forward(self, x: Tensor) -> Tensor:
        return 0.5 * x * (1 + torch.erf(x * self.scale))


class Right(Wrong):
    """GELU activation."""

    scale = 2**-0.5
