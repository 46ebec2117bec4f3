"""A reduction called mean divides by the batch size of the configuration."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "loss-batch-scale"


class Wrong(nn.Module):
    """Poisson loss of counts."""

    __verifykit__ = {"inputs": {"log_rate": "float[N]", "target": "float[N] in [0, 9]"}}

    def __init__(self, batch_size: int = 32, reduction: str = "mean") -> None:
        super().__init__()
        self.batch_size, self.reduction = batch_size, reduction

    def forward(self, log_rate: Tensor, target: Tensor) -> Tensor:
        loss = torch.exp(log_rate) - target * log_rate
        return {"mean": loss.sum() / self.batch_size, "sum": loss.sum()}[self.reduction]


class Right(Wrong):
    def forward(self, log_rate: Tensor, target: Tensor) -> Tensor:
        loss = torch.exp(log_rate) - target * log_rate
        return {"mean": loss.mean(), "sum": loss.sum()}[self.reduction]
