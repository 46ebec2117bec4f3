"""A masked squared error is averaged over padding too."""

from torch import Tensor, nn

CAUGHT_BY = "loss-ignore"


class Wrong(nn.Module):
    """Masked mean squared error, a loss for padded sequences."""

    __verifykit__ = {"inputs": {"prediction": "float[N, L]", "target": "float[N, L]", "mask": "bool[N, L]"}}

    def forward(self, prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        return ((prediction - target) ** 2 * mask).mean()


class Right(Wrong):
    def forward(self, prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        return ((prediction - target) ** 2 * mask).sum() / mask.sum().clamp(min=1)
