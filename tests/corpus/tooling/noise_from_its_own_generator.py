"""A noisy layer draws from its own generator, whose state checkpointing does not put back."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "checkpoint"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 3, H, H]"}}

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.generator = torch.Generator().manual_seed(1234)

    def noise(self, like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=self.generator, dtype=like.dtype)

    def forward(self, x: Tensor) -> Tensor:
        features = self.conv(x)
        if self.training:
            features = features * (1 + 0.1 * self.noise(features))
        return features.relu()


class Right(Wrong):
    def noise(self, like: Tensor) -> Tensor:
        return torch.randn_like(like)
