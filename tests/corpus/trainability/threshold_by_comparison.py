"""A learnt threshold is compared with and nothing else, so it stays where it was initialised."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "overfit"


class Wrong(nn.Module):
    """Denoising by a threshold for each band."""

    __verifykit__ = {"inputs": {"bands": "float[N, 3, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv1d(3, 3, 1)
        self.threshold = nn.Parameter(torch.full((3, 1), 0.2))

    def keep(self, bands: Tensor) -> Tensor:
        return bands * (bands.abs() > self.threshold)

    def forward(self, bands: Tensor) -> Tensor:
        return self.keep(self.mix(bands))


class Right(Wrong):
    def keep(self, bands: Tensor) -> Tensor:
        return bands.sign() * torch.relu(bands.abs() - self.threshold)
