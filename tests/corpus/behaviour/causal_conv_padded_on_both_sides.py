"""A dilated causal convolution is padded by half on either side."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "causality"


class Wrong(nn.Module):
    """A causal residual block of a WaveNet, gated."""

    __verifykit__ = {"init": {"channels": 4, "dilation": 2}, "inputs": {"x": "float[N, 4, T]"}}

    def __init__(self, channels: int, dilation: int, kernel_size: int = 3) -> None:
        super().__init__()
        self.reach = dilation * (kernel_size - 1)
        self.conv = nn.Conv1d(channels, 2 * channels, kernel_size, dilation=dilation)
        self.mix = nn.Conv1d(channels, channels, 1)

    def padding(self) -> tuple[int, int]:
        return self.reach // 2, self.reach // 2

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.conv(F.pad(x, self.padding())).chunk(2, dim=1)
        return x + self.mix(value.tanh() * gate.sigmoid())


class Right(Wrong):
    def padding(self) -> tuple[int, int]:
        return self.reach, 0
