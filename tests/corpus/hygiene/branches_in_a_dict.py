"""The normalisers of two branches lie in a plain dict, so their parameters are not among the module's."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "registration"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"image": "float[N, 4, H, W]"}}

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.scales = {"near": Scale(4), "far": Scale(4)}

    def forward(self, image: Tensor) -> Tensor:
        features = self.shared(image)
        return self.scales["near"](features) - self.scales["far"](features.mean((2, 3), keepdim=True))


class Right(Wrong):
    def __init__(self) -> None:
        super().__init__()
        self.scales = nn.ModuleDict(self.scales)


class Scale(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels, 1, 1))
        self.shift = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gain + self.shift
