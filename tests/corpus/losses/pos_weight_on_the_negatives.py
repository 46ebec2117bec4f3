"""pos_weight multiplies the term of the negative targets."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "loss-ignore"


class Wrong(nn.Module):
    """Binary cross entropy loss with logits, written out."""

    __verifykit__ = {"inputs": {"logits": "float[N, 3]", "targets": "float[N, 3] in [0, 1]"}}

    def __init__(self, pos_weight: Tensor | None = None) -> None:
        super().__init__()
        self.pos_weight = 1.0 if pos_weight is None else pos_weight

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        positive, negative = targets * F.logsigmoid(logits), (1 - targets) * F.logsigmoid(-logits)
        return -(positive + self.pos_weight * negative).mean()


class Right(Wrong):
    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        positive, negative = targets * F.logsigmoid(logits), (1 - targets) * F.logsigmoid(-logits)
        return -(self.pos_weight * positive + negative).mean()
