"""A channel gate of a conv net is normalised over the batch."""

from torch import Tensor, nn

CAUGHT_BY = "batch-independence"


class Wrong(nn.Module):
    __verifykit__ = {"init": {"channels": 6}, "inputs": {"x": "float[N, 6, H, W]"}}

    axis = 0

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.gate = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        pooled = x.mean(dim=(2, 3))
        weights = self.gate(pooled).softmax(dim=self.axis)
        return self.conv(x) * weights[:, :, None, None]


class Right(Wrong):
    axis = 1
