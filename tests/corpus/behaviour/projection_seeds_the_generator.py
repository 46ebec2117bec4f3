"""A random Fourier feature map seeds the global generator, so that every layer built after it starts alike."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "global-state"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 3]"}}

    frequencies: Tensor

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1234)
        self.register_buffer("frequencies", torch.randn(3, 8))

    def forward(self, x: Tensor) -> Tensor:
        angles = x @ self.frequencies
        return torch.cat([angles.sin(), angles.cos()], -1)


class Right(Wrong):
    def __init__(self) -> None:
        nn.Module.__init__(self)
        generator = torch.Generator().manual_seed(1234)
        self.register_buffer("frequencies", torch.randn(3, 8, generator=generator))
