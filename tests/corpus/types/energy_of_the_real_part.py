"""The energy of a signal is taken of its real part alone."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "complex"


class Wrong(nn.Module):
    """Mean energy of each channel of an impulse response, in decibels."""

    __verifykit__ = {"inputs": {"signal": "complex[N, 4, 9]"}}

    def energy(self, signal: Tensor) -> Tensor:
        return signal.real.square()

    def forward(self, signal: Tensor) -> Tensor:
        return 10 * torch.log10(self.energy(signal).mean(-1) + 1e-6)


class Right(Wrong):
    def energy(self, signal: Tensor) -> Tensor:
        return signal.abs().square()
