"""Softmax is applied to what cross_entropy takes for scores."""

from torch import Tensor, nn
from torch.nn import functional as F

CAUGHT_BY = "claim"


class Wrong(nn.Module):
    """Cross-entropy loss."""

    __verifykit__ = {"inputs": {"logits": "float[N, 5]", "target": "long[N] in below 5"}}

    def scores(self, logits: Tensor) -> Tensor:
        return logits.softmax(dim=-1)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(self.scores(logits), target)


class Right(Wrong):
    """Cross-entropy loss."""

    def scores(self, logits: Tensor) -> Tensor:
        return logits
