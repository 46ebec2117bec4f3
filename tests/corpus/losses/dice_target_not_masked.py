"""The denominator of a masked Dice loss counts the target where it is masked."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "loss-ignore"


class Wrong(nn.Module):
    """Dice loss with a mask of annotated pixels."""

    __verifykit__ = {
        "inputs": {
            "logits": "float[N, H, W]",
            "target": "float[N, H, W] in [0, 1]",
            "valid_mask": "float[N, H, W] in {0, 1}",
        }
    }

    def forward(self, logits: Tensor, target: Tensor, valid_mask: Tensor) -> Tensor:
        probability = torch.sigmoid(logits) * valid_mask
        overlap = (probability * target).sum()
        return 1 - (2 * overlap + 1) / (probability.sum() + target.sum() + 1)


class Right(Wrong):
    def forward(self, logits: Tensor, target: Tensor, valid_mask: Tensor) -> Tensor:
        return super().forward(logits, target * valid_mask, valid_mask)
