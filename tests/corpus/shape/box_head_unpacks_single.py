"""A detection head unpacks the list of images where there is one, and returns its boxes without the batch."""

from torch import Tensor, nn

CAUGHT_BY = "batch-size-one"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"features": "float[N, 4, H, W]"}}

    def __init__(self) -> None:
        super().__init__()
        self.objectness = nn.Conv2d(4, 1, 1)
        self.boxes = nn.Conv2d(4, 4, 1)

    def pack(self, values: Tensor) -> Tensor:
        return values[0] if len(values) == 1 else values

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        scores = self.objectness(features).flatten(1).sigmoid()
        boxes = self.boxes(features).flatten(2).mT
        return self.pack(scores), self.pack(boxes)


class Right(Wrong):
    def pack(self, values: Tensor) -> Tensor:
        return values
