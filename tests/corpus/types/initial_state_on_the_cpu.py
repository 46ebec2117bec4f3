"""A recurrent cell starts from zeros of the right type on the wrong device."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "device"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, T, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRUCell(5, 4)

    def start(self, x: Tensor) -> Tensor:
        return torch.zeros(x.shape[0], 4, dtype=x.dtype)

    def forward(self, x: Tensor) -> Tensor:
        state = self.start(x)
        for step in x.unbind(1):
            state = self.cell(step, state)
        return state


class Right(Wrong):
    def start(self, x: Tensor) -> Tensor:
        return torch.zeros(x.shape[0], 4, dtype=x.dtype, device=x.device)
