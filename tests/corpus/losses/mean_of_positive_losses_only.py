"""The mean of a triplet loss leaves out the triplets that are satisfied."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "loss-reduction"


class Wrong(nn.Module):
    """Triplet margin loss on squared distances."""

    __verifykit__ = {
        "inputs": {"anchor": "float[N, 6]", "positive": "float[N, 6]", "negative": "float[N, 6]"},
        "init": {"margin": 1.0},
    }

    def __init__(self, margin: float, reduction: str = "mean") -> None:
        super().__init__()
        self.margin, self.reduction = margin, reduction

    def reduce(self, loss: Tensor) -> Tensor:
        if self.reduction == "mean":
            return loss.sum() / (loss > 0).sum().clamp(min=1)
        return loss.sum() if self.reduction == "sum" else loss

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        near, far = ((anchor - other).pow(2).sum(-1) for other in (positive, negative))
        return self.reduce(F.relu(near - far + self.margin))


class Right(Wrong):
    def reduce(self, loss: Tensor) -> Tensor:
        return loss if self.reduction == "none" else getattr(loss, self.reduction)()
