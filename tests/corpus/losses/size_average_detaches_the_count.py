"""With size_average the weights that normalise a loss are not those it was multiplied with."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "loss-reduction"


class Wrong(nn.Module):
    """Wing loss for facial landmarks."""

    __verifykit__ = {"inputs": {"prediction": "float[N, 5, 2]", "target": "float[N, 5, 2]"}}

    def __init__(self, width: float = 0.5, size_average: bool = True) -> None:
        super().__init__()
        self.width, self.size_average = width, size_average

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        error = (prediction - target).abs()
        loss = torch.where(error < self.width, torch.log1p(error / 0.1), error)
        return loss.sum() / (error > self.width).sum() if self.size_average else loss.sum()


class Right(Wrong):
    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        error = (prediction - target).abs()
        loss = torch.where(error < self.width, torch.log1p(error / 0.1), error)
        return loss.mean() if self.size_average else loss.sum()
