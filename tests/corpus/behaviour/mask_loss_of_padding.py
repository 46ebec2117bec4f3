"""A token loss is averaged over padding too."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "mask"


class Wrong(nn.Module):
    __verifykit__ = {
        "inputs": {"logits": "float[N, L, 5]", "targets": "long[N, L] in below 5", "mask": "bool[N, L]"},
    }

    def forward(self, logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        losses = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
        return (losses * mask).mean()


class Right(Wrong):
    def forward(self, logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        losses = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
        return (losses * mask).sum() / mask.sum().clamp_min(1)
