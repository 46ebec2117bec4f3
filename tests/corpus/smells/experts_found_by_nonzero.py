"""A mixture of experts gathers the tokens of each expert by nonzero."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "host-sync"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[T, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(4, 2)
        self.experts = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])

    def forward(self, x: Tensor) -> Tensor:
        chosen = self.gate(x).argmax(-1)
        out = torch.zeros_like(x)
        for number, expert in enumerate(self.experts):
            rows = (chosen == number).nonzero().squeeze(-1)
            out = out.index_copy(0, rows, expert(x[rows]))
        return out


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        chosen = self.gate(x).argmax(-1)
        parts = [torch.where((chosen == n)[:, None], e(x), 0) for n, e in enumerate(self.experts)]
        return torch.stack(parts).sum(0)
