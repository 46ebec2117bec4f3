"""A router draws its jitter in eval mode too and throws it away, so evaluating shifts training's random numbers."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "global-state"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        jitter = torch.empty_like(x).uniform_(0.98, 1.02)
        if self.training:
            x = x * jitter
        return self.gate(x).softmax(-1)


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            x = x * torch.empty_like(x).uniform_(0.98, 1.02)
        return self.gate(x).softmax(-1)
