"""Rotary angles are made without a dtype, so that attention leaves half precision behind the first layer."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "dtype"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, T, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(8, 8)

    def turn(self, x: Tensor) -> tuple[Tensor, Tensor]:
        steps = torch.arange(x.shape[1], device=x.device)
        rates = 10000.0 ** (-torch.arange(0, 8, 2, device=x.device) / 8)
        angles = steps[:, None] * rates
        return angles.cos(), angles.sin()

    def forward(self, x: Tensor) -> Tensor:
        q, (cos, sin) = self.query(x), self.turn(x)
        even, odd = q[..., 0::2], q[..., 1::2]
        return torch.cat([even * cos - odd * sin, even * sin + odd * cos], -1)


class Right(Wrong):
    def turn(self, x: Tensor) -> tuple[Tensor, Tensor]:
        wide = torch.promote_types(x.dtype, torch.float32)
        steps = torch.arange(x.shape[1], dtype=wide, device=x.device)
        rates = 10000.0 ** (-torch.arange(0, 8, 2, dtype=wide, device=x.device) / 8)
        angles = steps[:, None] * rates
        return angles.cos().to(x.dtype), angles.sin().to(x.dtype)
