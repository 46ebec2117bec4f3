"""A residual block builds a projection for its shortcut and then adds the shortcut without it."""

from torch import Tensor, nn

CAUGHT_BY = "unused-parameter"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 4, H, H]"}}

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.shortcut = nn.Conv2d(4, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x).relu()) + x


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x).relu()) + self.shortcut(x)
