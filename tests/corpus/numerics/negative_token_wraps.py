"""A hand-written embedding indexes its table with brackets: a token of -1 reads the last row."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "integer-range"


class Wrong(nn.Module):
    """Token and position embedding, added."""

    __verifykit__ = {"inputs": {"tokens": "long[N, T] in below 11"}}

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(11, 4))
        self.position = nn.Parameter(torch.randn(512, 4))

    def look_up(self, tokens: Tensor) -> Tensor:
        return self.table[tokens]

    def forward(self, tokens: Tensor) -> Tensor:
        return self.look_up(tokens) + self.position[: tokens.shape[1]]


class Right(Wrong):
    def look_up(self, tokens: Tensor) -> Tensor:
        return F.embedding(tokens, self.table)
