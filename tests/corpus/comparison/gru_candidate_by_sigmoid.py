"""The candidate of the GRU is a sigmoid, so that its state is never negative."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "claim"


class Wrong(nn.Module):
    """GRU cell."""

    __verifykit__ = {"inputs": {"x": "float[N, 5]", "h": "float[N, 4]"}}

    def __init__(self, input_size: int = 5, hidden_size: int = 4) -> None:
        super().__init__()
        self.from_input = nn.Linear(input_size, 3 * hidden_size)
        self.from_state = nn.Linear(hidden_size, 3 * hidden_size)

    def candidate(self, x: Tensor) -> Tensor:
        return torch.sigmoid(x)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        xr, xz, xn = self.from_input(x).chunk(3, dim=-1)
        hr, hz, hn = self.from_state(h).chunk(3, dim=-1)
        r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
        n = self.candidate(xn + r * hn)
        return (1 - z) * n + z * h


class Right(Wrong):
    """GRU cell."""

    def candidate(self, x: Tensor) -> Tensor:
        return torch.tanh(x)
