"""A hand-unrolled recurrent layer stops after twelve steps, whatever the length of the sequence."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "shape-contract"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRUCell(4, 6)

    def steps(self, length: int) -> int:
        return min(length, 12)

    def forward(self, x: Tensor) -> Tensor:
        state = x.new_zeros(x.shape[0], 6)
        states = []
        for step in range(self.steps(x.shape[1])):
            state = self.cell(x[:, step], state)
            states.append(state)
        return torch.stack(states, 1)


class Right(Wrong):
    def steps(self, length: int) -> int:
        return length
