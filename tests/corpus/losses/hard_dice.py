"""A Dice loss thresholds the prediction, so nothing can be learnt from it."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "loss-target-gradient"


class Wrong(nn.Module):
    """Dice loss of a binary segmentation."""

    __verifykit__ = {"inputs": {"logits": "float[N, H, W]", "target": "float[N, H, W] in [0, 1]"}}

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        predicted = (torch.sigmoid(logits) > 0.5).float()
        overlap = (predicted * target).sum((1, 2))
        return (1 - (2 * overlap + 1) / (predicted.sum((1, 2)) + target.sum((1, 2)) + 1)).mean()


class Right(Wrong):
    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        predicted = torch.sigmoid(logits)
        overlap = (predicted * target).sum((1, 2))
        return (1 - (2 * overlap + 1) / (predicted.sum((1, 2)) + target.sum((1, 2)) + 1)).mean()
