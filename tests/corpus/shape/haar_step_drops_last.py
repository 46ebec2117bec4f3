"""One step of a Haar transform pairs neighbours, and an odd last sample has none."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "odd-sizes"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"signal": "float[N, L]"}}

    def even(self, signal: Tensor) -> Tensor:
        return signal[:, : signal.shape[1] - signal.shape[1] % 2]

    def forward(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        a, b = self.even(signal).unflatten(1, (-1, 2)).unbind(-1)
        return (a + b) / 2**0.5, (a - b) / 2**0.5


class Right(Wrong):
    def even(self, signal: Tensor) -> Tensor:
        return torch.cat([signal, signal[:, -1:]], 1) if signal.shape[1] % 2 else signal
