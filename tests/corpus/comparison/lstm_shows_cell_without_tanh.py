"""The cell of the LSTM is shown without its tanh."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "claim"


class Wrong(nn.Module):
    """An LSTM cell."""

    __verifykit__ = {"inputs": {"x": "float[N, 5]", "h": "float[N, 4]", "c": "float[N, 4]"}}

    def __init__(self, input_size: int = 5, hidden_size: int = 4) -> None:
        super().__init__()
        self.gates = nn.Linear(input_size + hidden_size, 4 * hidden_size)

    def shown(self, cell: Tensor) -> Tensor:
        return cell

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(torch.cat([x, h], dim=-1)).chunk(4, dim=-1)
        cell = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * self.shown(cell), cell


class Right(Wrong):
    """An LSTM cell."""

    def shown(self, cell: Tensor) -> Tensor:
        return torch.tanh(cell)
