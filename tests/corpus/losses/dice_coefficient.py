"""A Dice coefficient is returned as the loss."""

from torch import Tensor, nn

CAUGHT_BY = "loss-sign"


class Wrong(nn.Module):
    """Dice loss."""

    __verifykit__ = {"inputs": {"probability": "float[N, H, W] in [0, 1]", "mask": "float[N, H, W] in {0, 1}"}}

    def forward(self, probability: Tensor, mask: Tensor) -> Tensor:
        overlap = (probability * mask).sum((1, 2))
        return ((2 * overlap + 1) / (probability.sum((1, 2)) + mask.sum((1, 2)) + 1)).mean()


class Right(Wrong):
    def forward(self, probability: Tensor, mask: Tensor) -> Tensor:
        return 1 - super().forward(probability, mask)
