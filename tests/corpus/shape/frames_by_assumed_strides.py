"""Overlapping frames are cut by as_strided with the strides that a contiguous signal would have."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "memory-layout"


class Wrong(nn.Module):
    """Frames of four samples, two apart, of each signal, windowed."""

    __verifykit__ = {"inputs": {"signal": "float[N, 12]"}}

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(4))

    def frames(self, signal: Tensor) -> Tensor:
        count, length = signal.shape
        return signal.as_strided((count, 5, 4), (length, 2, 1))

    def forward(self, signal: Tensor) -> Tensor:
        return torch.fft.rfft(self.frames(signal) * self.window).abs()


class Right(Wrong):
    def frames(self, signal: Tensor) -> Tensor:
        return signal.unfold(-1, 4, 2)
