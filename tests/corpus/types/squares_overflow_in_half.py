"""RMS normalisation squares in half precision, which ends at 256."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "low-precision"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, T, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(8))

    def wide(self, x: Tensor) -> Tensor:
        return x

    def forward(self, x: Tensor) -> Tensor:
        h = self.wide(x)
        return (h * torch.rsqrt(h.square().mean(-1, keepdim=True) + 1e-5)).to(x.dtype) * self.weight


class Right(Wrong):
    def wide(self, x: Tensor) -> Tensor:
        return x.to(torch.promote_types(x.dtype, torch.float32))
