"""The gradient of a root mean squared error is NaN at a perfect fit."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "loss-minimum"


class Wrong(nn.Module):
    """Root mean squared error loss."""

    __verifykit__ = {"inputs": {"prediction": "float[N, 3]", "target": "float[N, 3]"}}

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return torch.sqrt(F.mse_loss(prediction, target))


class Right(Wrong):
    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return torch.sqrt(F.mse_loss(prediction, target) + 1e-10)
