"""The 'sum' of a focal loss is taken of the plain cross entropy."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "loss-reduction"


class Wrong(nn.Module):
    """Focal loss for classes."""

    __verifykit__ = {"inputs": {"logits": "float[N, 4]", "target": "long[N] in below 4"}}

    def __init__(self, gamma: float = 2.0, reduction: str = "mean") -> None:
        super().__init__()
        self.gamma, self.reduction = gamma, reduction

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        cross_entropy = F.cross_entropy(logits, target, reduction="none")
        focal = (1 - torch.exp(-cross_entropy)) ** self.gamma * cross_entropy
        if self.reduction == "mean":
            return focal.mean()
        if self.reduction == "sum":
            return cross_entropy.sum()
        return focal


class Right(Wrong):
    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        cross_entropy = F.cross_entropy(logits, target, reduction="none")
        focal = (1 - torch.exp(-cross_entropy)) ** self.gamma * cross_entropy
        return focal if self.reduction == "none" else getattr(focal, self.reduction)()
