"""A Tversky loss makes one-hot targets of labels that are to be ignored, and counts them as a class."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "loss-ignore"


class Wrong(nn.Module):
    """Tversky loss of a segmentation."""

    __verifykit__ = {"inputs": {"logits": "float[N, 4, H, W]", "labels": "long[N, H, W] in below 4"}}

    def __init__(self, ignore_index: int = -1) -> None:
        super().__init__()
        self.ignore_index = ignore_index

    def index(self, probability: Tensor, truth: Tensor) -> Tensor:
        hit = (probability * truth).sum((0, 2, 3))
        missed, false = (truth - probability * truth).sum((0, 2, 3)), (probability - probability * truth).sum((0, 2, 3))
        return 1 - ((hit + 1e-3) / (hit + 0.7 * missed + 0.3 * false + 1e-3)).mean()

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        truth = F.one_hot(labels % 4, 4).movedim(-1, 1).to(logits)
        return self.index(logits.softmax(1), truth)


class Right(Wrong):
    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        kept = (labels != self.ignore_index)[:, None]
        truth = F.one_hot(labels % 4, 4).movedim(-1, 1).to(logits)
        return self.index(logits.softmax(1) * kept, truth * kept)
