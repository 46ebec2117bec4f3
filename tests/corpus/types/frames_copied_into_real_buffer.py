"""Frames are copied into a buffer of a real type, which drops what is imaginary in them."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "complex"


class Wrong(nn.Module):
    """Overlapping frames of a signal."""

    __verifykit__ = {"inputs": {"x": "float[N, 12]"}}

    def buffer(self, x: Tensor) -> Tensor:
        return torch.zeros(len(x), 5, 4, dtype=torch.float64 if x.is_complex() else x.dtype, device=x.device)

    def forward(self, x: Tensor) -> Tensor:
        frames = self.buffer(x)
        for index in range(5):
            frames[:, index] = x[:, 2 * index : 2 * index + 4]
        return frames * torch.hann_window(4, dtype=torch.float64, device=x.device).to(x.dtype)


class Right(Wrong):
    def buffer(self, x: Tensor) -> Tensor:
        return x.new_zeros(len(x), 5, 4)
