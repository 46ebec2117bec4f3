"""The smoothing of the Dice loss is added above and not below: it is negative for empty masks."""

from torch import Tensor, nn

CAUGHT_BY = "claim"


class Wrong(nn.Module):
    """Dice loss."""

    __verifykit__ = {"inputs": {"prediction": "float[N, 6] in (0, 1)", "target": "float[N, 6] in {0, 1}"}}

    below = 0.0

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        overlap = (prediction * target).sum()
        return 1 - (2 * overlap + 1.0) / (prediction.sum() + target.sum() + self.below)


class Right(Wrong):
    """Dice loss."""

    below = 1.0
