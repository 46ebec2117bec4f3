"""The focal factor is taken from the mean of the cross entropy instead of that of each sample."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CAUGHT_BY = "claim"


class Wrong(nn.Module):
    """Focal loss for several classes."""

    __verifykit__ = {"inputs": {"logits": "float[N, 5]", "target": "long[N] in below 5"}}

    reduction = "mean"

    def __init__(self, gamma: float = 2.0) -> None:
        super().__init__()
        self.gamma = gamma

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        entropy = F.cross_entropy(logits, target, reduction=self.reduction)
        p = torch.exp(-entropy)
        return ((1 - p) ** self.gamma * entropy).mean()


class Right(Wrong):
    """Focal loss for several classes."""

    reduction = "none"
