"""A box loss is averaged, and divided by the number of boxes once more."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "loss-batch-scale"


def overlap(boxes: Tensor, target: Tensor) -> Tensor:
    """Intersection over union of boxes as centre and size."""
    low = torch.maximum(boxes[:, :2] - boxes[:, 2:].exp(), target[:, :2] - target[:, 2:].exp())
    high = torch.minimum(boxes[:, :2] + boxes[:, 2:].exp(), target[:, :2] + target[:, 2:].exp())
    shared = (high - low).clamp(min=0).prod(-1)
    return shared / (4 * boxes[:, 2:].exp().prod(-1) + 4 * target[:, 2:].exp().prod(-1) - shared)


class Wrong(nn.Module):
    """Intersection over union loss of boxes."""

    __verifykit__ = {"inputs": {"boxes": "float[N, 4] in [-3, 3]", "target": "float[N, 4] in [-3, 3]"}}

    def forward(self, boxes: Tensor, target: Tensor) -> Tensor:
        return (1 - overlap(boxes, target)).mean() / boxes.shape[0]


class Right(Wrong):
    def forward(self, boxes: Tensor, target: Tensor) -> Tensor:
        return (1 - overlap(boxes, target)).sum() / boxes.shape[0]
