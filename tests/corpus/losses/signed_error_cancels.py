"""A consistency loss averages signed errors, and falls without end."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "loss-minimum"


class Wrong(nn.Module):
    """Bias loss of a calibration head."""

    __verifykit__ = {"inputs": {"prediction": "float[N, 3]", "target": "float[N, 3]"}}

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        error = prediction - target
        return torch.where(error > 0, error**2, error).mean()


class Right(Wrong):
    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        error = prediction - target
        return torch.where(error > 0, error**2, error.abs()).mean()
