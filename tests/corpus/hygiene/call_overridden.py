"""Cells override __call__ to take a default state, and reach forward without nn.Module's own."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "hooks"


class Cell(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gates = nn.Linear(9, 10)

    def __call__(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        return self.forward(x, x.new_zeros(len(x), 5) if h is None else h)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        update, new = self.gates(torch.cat([x, h], -1)).chunk(2, -1)
        return torch.lerp(h, new.tanh(), update.sigmoid())


class DefaultCell(Cell):
    __call__ = nn.Module.__call__

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        return super().forward(x, x.new_zeros(len(x), 5) if h is None else h)


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[L, N, 4]"}}
    cell: type[Cell] = Cell

    def __init__(self) -> None:
        super().__init__()
        self.step = self.cell()

    def forward(self, x: Tensor) -> Tensor:
        h = self.step(x[0])
        for inputs in x[1:]:
            h = self.step(inputs, h)
        return h


class Right(Wrong):
    cell = DefaultCell
