"""Bins of a spectrum are weighted by numbers of the default type, and no longer fit the layer behind."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "default-dtype"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 3, 16]"}}

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(9, 4)

    def emphasis(self, power: Tensor) -> Tensor:
        return torch.linspace(0.5, 1, power.shape[-1], device=power.device)

    def forward(self, x: Tensor) -> Tensor:
        spectrum = torch.fft.rfft(x, norm="ortho")
        power = spectrum.real.square() + spectrum.imag.square()
        return self.project(power * self.emphasis(power))


class Right(Wrong):
    def emphasis(self, power: Tensor) -> Tensor:
        return torch.linspace(0.5, 1, power.shape[-1], device=power.device, dtype=power.dtype)
