"""A recurrent scorer loops over the samples in Python, which unrolls the loop for one batch size."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "export"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6, 3]"}}

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.Linear(7, 4)

    def run(self, x: Tensor) -> Tensor:
        state = x.new_zeros(x.shape[0], 4)
        for step in x.unbind(1):
            state = self.cell(torch.cat([step, state], -1)).tanh()
        return state

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.run(x[i : i + 1]) for i in range(len(x))])


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        return self.run(x)
