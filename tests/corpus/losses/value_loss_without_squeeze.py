"""The spec itself has values (N, 1) against returns (N,)."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "loss-broadcast"


class Wrong(nn.Module):
    """Value loss of an actor-critic, with a Huber error."""

    __verifykit__ = {"inputs": {"values": "float[N, 1]", "returns": "float[N]"}}

    def forward(self, values: Tensor, returns: Tensor) -> Tensor:
        error = (values - returns).abs()
        return torch.where(error < 1, 0.5 * error**2, error - 0.5).mean()


class Right(Wrong):
    def forward(self, values: Tensor, returns: Tensor) -> Tensor:
        return super().forward(values.squeeze(-1), returns)
