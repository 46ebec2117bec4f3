"""Outputs of experts are written into a buffer of the type of the tokens, which autocast leaves in float32."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "autocast"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"tokens": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.router = nn.Linear(6, 2)
        self.experts = nn.ModuleList(nn.Linear(6, 6) for _ in range(2))

    def cast(self, y: Tensor, out: Tensor) -> Tensor:
        return y

    def forward(self, tokens: Tensor) -> Tensor:
        gates, chosen = self.router(tokens).softmax(-1).max(-1)
        out = torch.zeros_like(tokens)
        for index, expert in enumerate(self.experts):
            mine = chosen == index
            out[mine] = self.cast(expert(tokens[mine]), out)
        return out * gates[:, None]


class Right(Wrong):
    def cast(self, y: Tensor, out: Tensor) -> Tensor:
        return y.to(out.dtype)
