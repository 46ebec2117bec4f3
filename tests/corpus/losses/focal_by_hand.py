"""A focal loss written out on probabilities takes targets of another shape."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "loss-broadcast"


class Wrong(nn.Module):
    """Binary focal loss."""

    __verifykit__ = {"inputs": {"logits": "float[N, C]", "targets": "float[N, C] in [0, 1]"}}

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        positive = targets * F.logsigmoid(logits) * torch.sigmoid(-logits) ** 2
        negative = (1 - targets) * F.logsigmoid(-logits) * torch.sigmoid(logits) ** 2
        return -(positive + negative).mean()


class Right(Wrong):
    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        cross_entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        return ((1 - torch.exp(-cross_entropy)) ** 2 * cross_entropy).mean()
