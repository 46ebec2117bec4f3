"""A convolution runs over padded frames, which are masked in its output only."""

from torch import Tensor, nn

CAUGHT_BY = "mask"


class Wrong(nn.Module):
    __verifykit__ = {
        "init": {"channels": 4},
        "inputs": {"x": "float[N, channels, T]", "x_mask": "float[N, 1, T] in [0, 1]"},
    }

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(channels, channels, 3, padding=1)
        self.second = nn.Conv1d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, x_mask: Tensor) -> Tensor:
        x = self.first(x).relu()
        return self.second(x) * x_mask


class Right(Wrong):
    def forward(self, x: Tensor, x_mask: Tensor) -> Tensor:
        x = self.first(x * x_mask).relu()
        return self.second(x * x_mask) * x_mask
