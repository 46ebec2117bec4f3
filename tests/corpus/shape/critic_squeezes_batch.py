"""A critic's squeeze takes the batch dimension along where there is one state."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "batch-size-one"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"state": "float[N, 6]", "action": "float[N, 2] in [-1, 1]"}}

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))

    def forward(self, state: Tensor, action: Tensor) -> Tensor:
        value: Tensor = self.body(torch.cat([state, action], -1))
        return value.squeeze()


class Right(Wrong):
    def forward(self, state: Tensor, action: Tensor) -> Tensor:
        value: Tensor = self.body(torch.cat([state, action], -1))
        return value.squeeze(-1)
