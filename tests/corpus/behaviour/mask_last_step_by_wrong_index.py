"""The last state of a recurrent encoder is taken one step before the end."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "mask"


class Wrong(nn.Module):
    __verifykit__ = {
        "init": {"features": 5, "hidden": 4},
        "inputs": {"x": "float[N, L, features]", "lengths": "long[N] in [2, 3]"},
    }

    back = 2

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.rnn = nn.GRU(features, hidden, batch_first=True)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        states, _ = self.rnn(x)
        return states[torch.arange(len(x)), lengths - self.back]


class Right(Wrong):
    back = 1
