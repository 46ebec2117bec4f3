"""The exponent of the positional encoding is i/d instead of 2i/d."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "claim"


class Wrong(nn.Module):
    """Sinusoidal positional encoding."""

    __verifykit__ = {"inputs": {"x": "float[N, L, 8]"}}

    step = 1

    def forward(self, x: Tensor) -> Tensor:
        _, length, width = x.shape
        index = torch.arange(0, width // 2, dtype=x.dtype)
        rate = 10000.0 ** (-self.step * index / width)
        angle = torch.arange(length, dtype=x.dtype)[:, None] * rate
        table = torch.zeros(length, width, dtype=x.dtype)
        table[:, 0::2] = angle.sin()
        table[:, 1::2] = angle.cos()
        return x + table


class Right(Wrong):
    """Sinusoidal positional encoding."""

    step = 2
