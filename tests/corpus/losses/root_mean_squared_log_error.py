"""Squared log errors of a (N, 1) head against (N,) prices are taken over all pairs."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "loss-broadcast"


class Wrong(nn.Module):
    """Root mean squared logarithmic error, a loss for prices."""

    __verifykit__ = {"inputs": {"prediction": "float[N, 1] in (0, 10)", "target": "float[N, 1] in (0, 10)"}}

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        difference = torch.log1p(prediction) - torch.log1p(target)
        return torch.sqrt((difference**2).mean() + 1e-12)


class Right(Wrong):
    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return super().forward(prediction, target.view_as(prediction))
