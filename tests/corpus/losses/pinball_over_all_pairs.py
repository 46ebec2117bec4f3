"""A pinball loss subtracts (N,) targets from (N, 1) quantiles."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "loss-broadcast"


class Wrong(nn.Module):
    """Pinball loss of one quantile."""

    __verifykit__ = {"inputs": {"y_hat": "float[N]", "y": "float[N]"}}

    def __init__(self, quantile: float = 0.9) -> None:
        super().__init__()
        self.quantile = quantile

    def forward(self, y_hat: Tensor, y: Tensor) -> Tensor:
        error = y - y_hat
        return torch.maximum(self.quantile * error, (self.quantile - 1) * error).mean()


class Right(Wrong):
    def forward(self, y_hat: Tensor, y: Tensor) -> Tensor:
        if y_hat.shape != y.shape:
            raise ValueError(f"quantiles {tuple(y_hat.shape)} against targets {tuple(y.shape)}")
        return super().forward(y_hat, y)
