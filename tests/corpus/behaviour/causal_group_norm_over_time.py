"""A causal convolutional block is normalised over all time."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "causality"


class CausalBlock(nn.Module):
    __verifykit__ = {"init": {"channels": 4}, "inputs": {"frames": "float[N, T, channels]"}}

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, channels, 3)
        self.norm = nn.GroupNorm(2, channels)

    def normalised(self, x: Tensor) -> Tensor:
        return self.norm(x)

    def forward(self, frames: Tensor) -> Tensor:
        x = F.pad(frames.transpose(1, 2), (2, 0))
        return frames + self.normalised(self.conv(x)).relu().transpose(1, 2)


class Wrong(CausalBlock):
    """A causal block whose statistics span the sequence."""


class Right(CausalBlock):
    """A causal block whose statistics span the channels of one frame."""

    def normalised(self, x: Tensor) -> Tensor:
        n, channels, time = x.shape
        return self.norm(x.transpose(1, 2).reshape(n * time, channels)).view(n, time, channels).transpose(1, 2)
