"""Positions are counted in the type of the input, where bfloat16 knows no odd numbers beyond 256."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "low-precision"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, T, 6]"}}

    def count(self, x: Tensor) -> Tensor:
        return torch.arange(x.shape[1], dtype=x.dtype, device=x.device)

    def forward(self, x: Tensor) -> Tensor:
        rates = torch.tensor([1.0, 0.5, 0.25], dtype=x.dtype, device=x.device)
        angles = self.count(x)[:, None] * rates
        return x + torch.cat([angles.sin(), angles.cos()], -1).to(x.dtype)


class Right(Wrong):
    def count(self, x: Tensor) -> Tensor:
        wide = torch.promote_types(x.dtype, torch.float32)
        return torch.arange(x.shape[1], dtype=wide, device=x.device)
