"""A contrastive loss takes the root of squared distances; a perfect match has a distance of 0 and a NaN gradient."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "extremes"


class Wrong(nn.Module):
    """Pairs of the same kind are pulled together, others pushed a margin apart."""

    __verifykit__ = {"inputs": {"one": "float[N, 5]", "other": "float[N, 5]", "same": "float[N] in {0, 1}"}}

    def __init__(self, margin: float = 1.0) -> None:
        super().__init__()
        self.margin = margin

    def distance(self, one: Tensor, other: Tensor) -> Tensor:
        return (one - other).square().sum(-1).sqrt()

    def forward(self, one: Tensor, other: Tensor, same: Tensor) -> Tensor:
        distance = self.distance(one, other)
        return (same * distance.square() + (1 - same) * F.relu(self.margin - distance).square()).mean()


class Right(Wrong):
    def distance(self, one: Tensor, other: Tensor) -> Tensor:
        return ((one - other).square().sum(-1) + 1e-12).sqrt()
