"""A leaky integrator starts from zeros of the default type, and stays in it."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "dtype"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, T, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.decay = nn.Parameter(torch.full((5,), 2.0))

    def start(self, x: Tensor) -> Tensor:
        return torch.zeros(x.shape[0], x.shape[2], device=x.device)

    def forward(self, x: Tensor) -> Tensor:
        state, keep, outputs = self.start(x), torch.sigmoid(self.decay), []
        for step in x.unbind(1):
            state = keep * state + (1 - keep) * step
            outputs.append(state)
        return torch.stack(outputs, 1)


class Right(Wrong):
    def start(self, x: Tensor) -> Tensor:
        return x.new_zeros(x.shape[0], x.shape[2])
