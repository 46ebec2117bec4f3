"""A segmentation loss rewrites the ignored labels in the caller's target, so the next epoch trains on class zero."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "purity"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"logits": "float[N, 4, H, W]", "target": "long[N, H, W] in below 4"}}

    def __init__(self, ignored: int = 3) -> None:
        super().__init__()
        self.ignored = ignored

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        valid = target != self.ignored
        target[~valid] = 0
        losses = F.cross_entropy(logits, target, reduction="none")
        return (losses * valid).sum() / valid.sum().clamp(min=1)


class Right(Wrong):
    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        valid = target != self.ignored
        losses = F.cross_entropy(logits, target.where(valid, 0), reduction="none")
        return (losses * valid).sum() / valid.sum().clamp(min=1)
