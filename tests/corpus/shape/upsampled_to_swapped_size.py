"""A decoder resizes to (width, height), as image libraries count, and torch wants (height, width)."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "non-square"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 3, H, W]"}}

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.decode = nn.Conv2d(6, 2, 3, padding=1)

    def size(self, x: Tensor) -> tuple[int, int]:
        return x.shape[3], x.shape[2]

    def forward(self, x: Tensor) -> Tensor:
        features = F.interpolate(self.encode(x).relu(), size=self.size(x), mode="bilinear")
        out: Tensor = self.decode(features)
        return out


class Right(Wrong):
    def size(self, x: Tensor) -> tuple[int, int]:
        return x.shape[2], x.shape[3]
