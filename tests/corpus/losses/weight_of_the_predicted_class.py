"""Class weights are looked up by the class that is predicted."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "loss-ignore"


class Wrong(nn.Module):
    """Class-weighted focal loss."""

    __verifykit__ = {"inputs": {"logits": "float[N, 4]", "labels": "long[N] in below 4"}}

    def __init__(self, class_weights: Tensor | None = None) -> None:
        super().__init__()
        self.class_weights = class_weights

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        loss = F.cross_entropy(logits, labels, reduction="none")
        loss = (1 - torch.exp(-loss)) ** 2 * loss
        if self.class_weights is not None:
            loss = loss * self.class_weights[logits.argmax(-1)]
        return loss.mean()


class Right(Wrong):
    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        loss = F.cross_entropy(logits, labels, reduction="none")
        loss = (1 - torch.exp(-loss)) ** 2 * loss
        return (loss if self.class_weights is None else loss * self.class_weights[labels]).mean()
