"""Rotary embedding looks at pairs of features as complex numbers, which wants them side by side in memory."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "memory-layout"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 8]"}}

    def pairs(self, x: Tensor) -> Tensor:
        return torch.view_as_complex(x.unflatten(-1, (-1, 2)))

    def forward(self, x: Tensor) -> Tensor:
        rates = 100.0 ** -torch.arange(4, dtype=x.dtype)
        angles = torch.arange(x.shape[1], dtype=x.dtype)[:, None] * rates
        turned = self.pairs(x) * torch.polar(torch.ones_like(angles), angles)
        return torch.view_as_real(turned).flatten(-2)


class Right(Wrong):
    def pairs(self, x: Tensor) -> Tensor:
        return torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous())
