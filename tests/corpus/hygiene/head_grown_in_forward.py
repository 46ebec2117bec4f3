"""A positional embedding is made at the first call, so a checkpoint of a used module cannot be loaded."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "state-dict"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"tokens": "long[N, 7] in below 11"}}

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(11, 6)
        self.position: nn.Parameter | None = None

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens)
        if self.position is None:
            self.position = nn.Parameter(torch.zeros(x.shape[1:], dtype=x.dtype, device=x.device))
        return torch.tanh(x + self.position)


class Right(Wrong):
    def __init__(self) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.zeros(7, 6))
