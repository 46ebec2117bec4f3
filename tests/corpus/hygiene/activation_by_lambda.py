"""The activation is a lambda, so the module cannot be sent to a worker process."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "copy"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"h": "float[N, 5]", "x": "float[N, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.recurrent, self.feed = nn.Linear(5, 5, bias=False), nn.Linear(4, 5)
        self.activation = lambda x: x / (1 + x.abs())

    def forward(self, h: Tensor, x: Tensor) -> Tensor:
        return self.activation(self.recurrent(h) + self.feed(x))


class Right(Wrong):
    def __init__(self) -> None:
        super().__init__()
        self.activation = F.softsign
