"""A Dice loss multiplies a (N, 1, H, W) map with a (N, H, W) mask."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "loss-broadcast"


class Wrong(nn.Module):
    """Dice loss of a binary segmentation."""

    __verifykit__ = {"inputs": {"logits": "float[N, 1, H, W]", "mask": "float[N, 1, H, W] in [0, 1]"}}

    def forward(self, logits: Tensor, mask: Tensor) -> Tensor:
        probability = torch.sigmoid(logits)
        overlap = (probability * mask).sum()
        return 1 - (2 * overlap + 1) / (probability.sum() + mask.sum() + 1)


class Right(Wrong):
    def forward(self, logits: Tensor, mask: Tensor) -> Tensor:
        probability, truth = torch.sigmoid(logits).flatten(1), mask.flatten(1)
        overlap = (probability * truth).sum()
        return 1 - (2 * overlap + 1) / (probability.sum() + truth.sum() + 1)
