"""The causal convolution is padded on the right, so that an output sees later inputs."""

from torch import Tensor, nn
from torch.nn import functional as F

CAUGHT_BY = "claim"


class Wrong(nn.Module):
    """Causal convolution over time."""

    __verifykit__ = {"inputs": {"x": "float[N, 3, L]"}}

    def __init__(self, in_channels: int = 3, out_channels: int = 4, kernel_size: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv1d(in_channels, out_channels, kernel_size)

    def padding(self, width: int) -> tuple[int, int]:
        return 0, width

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, self.padding(self.conv.kernel_size[0] - 1)))


class Right(Wrong):
    """Causal convolution over time."""

    def padding(self, width: int) -> tuple[int, int]:
        return width, 0
