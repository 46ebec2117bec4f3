"""A squared error is divided by N - 1, as a variance would be."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "loss-batch-scale"


class Wrong(nn.Module):
    """Quantile-weighted squared loss."""

    __verifykit__ = {"inputs": {"prediction": "float[N, 2]", "target": "float[N, 2]"}}

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        error = target - prediction
        loss = torch.where(error > 0, 0.8, 0.2) * error**2
        return loss.sum() / (len(loss) - 1)


class Right(Wrong):
    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        error = target - prediction
        return (torch.where(error > 0, 0.8, 0.2) * error**2).sum() / len(error)
