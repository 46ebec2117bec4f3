"""A taper from NumPy is float64, and turns single-precision frames into double."""

import numpy as np
import torch
from torch import Tensor, nn

CAUGHT_BY = "dtype"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"frames": "float[N, T, 16]"}}

    def taper(self, frames: Tensor) -> Tensor:
        return torch.from_numpy(np.hanning(frames.shape[-1])).to(frames.device)

    def forward(self, frames: Tensor) -> Tensor:
        centred = frames - frames.mean(-1, keepdim=True)
        return (centred * self.taper(frames)).square().sum(-1)


class Right(Wrong):
    def taper(self, frames: Tensor) -> Tensor:
        return super().taper(frames).to(frames.dtype)
