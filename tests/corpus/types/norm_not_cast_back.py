"""RMS normalisation widens to float32, and its result is never cast back."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "dtype"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, T, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(8))

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        normed = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + 1e-6)
        return self.weight * normed


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        normed = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + 1e-6)
        return self.weight * normed.to(x.dtype)
