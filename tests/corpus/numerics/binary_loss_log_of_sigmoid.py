"""Binary cross-entropy takes the logarithm of a sigmoid, which is exactly 0 or 1 for large logits."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "extremes"


class Wrong(nn.Module):
    """Binary cross-entropy with a weight for the positive class."""

    __verifykit__ = {"inputs": {"logits": "float[N]", "target": "float[N] in {0, 1}"}}

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        p = torch.sigmoid(logits)
        return -(3.0 * target * p.log() + (1 - target) * (1 - p).log()).mean()


class Right(Wrong):
    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return -(3.0 * target * F.logsigmoid(logits) + (1 - target) * F.logsigmoid(-logits)).mean()
