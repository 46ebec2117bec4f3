"""A consistency term of a loss compares each sample with its neighbour in the batch."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "batch-permutation"


class Wrong(nn.Module):
    """Cross entropy over a batch of labelled images, and a term that keeps their logits small and smooth."""

    __verifykit__ = {"inputs": {"logits": "float[N, C]", "labels": "long[N] in below C"}}

    axis = 0

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits, labels) + 0.1 * logits.diff(dim=self.axis).square().mean()


class Right(Wrong):
    axis = 1
