"""A temperature is annealed by a counter that is not saved: resumed training starts hot again."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "state-dict"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.score = nn.Linear(6, 4)
        self.values = nn.Parameter(torch.randn(4, 6))
        self.start()

    def start(self) -> None:
        self.step = 0

    def forward(self, x: Tensor) -> Tensor:
        temperature = 0.5
        if self.training:
            temperature = max(0.5, 5.0 * 0.9 ** int(self.step))
            self.step += 1
        return (self.score(x) / temperature).softmax(-1) @ self.values


class Right(Wrong):
    def start(self) -> None:
        self.register_buffer("step", torch.zeros((), dtype=torch.long))
