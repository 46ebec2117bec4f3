"""A view stands where time and features should be transposed for the convolution."""

from torch import Tensor, nn

CAUGHT_BY = "non-square"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(6, 6, 3, padding=1)

    def channels_first(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], x.shape[2], x.shape[1])

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(self.channels_first(x)).relu()
        return out.amax(1)


class Right(Wrong):
    def channels_first(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2)
