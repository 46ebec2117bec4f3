"""A spectral filter multiplies by gains of the default type, and comes out of the inverse transform in it."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "default-dtype"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 3, 16]"}}

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor([0.5, 1.0, 2.0]))

    def grid(self, x: Tensor, bins: int) -> Tensor:
        return torch.linspace(0, 1, bins, device=x.device)

    def forward(self, x: Tensor) -> Tensor:
        spectrum = torch.fft.rfft(x)
        gains = torch.exp(-self.slope[:, None] * self.grid(x, spectrum.shape[-1]))
        return torch.fft.irfft(spectrum * gains, n=x.shape[-1])


class Right(Wrong):
    def grid(self, x: Tensor, bins: int) -> Tensor:
        return torch.linspace(0, 1, bins, dtype=x.dtype, device=x.device)
