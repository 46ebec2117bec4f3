"""The future is hidden by an offset of -1e-9 in place of -1e9."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "causality"


class Wrong(nn.Module):
    """An autoregressive language model of one layer."""

    __verifykit__ = {"init": {"vocabulary": 11, "width": 8}, "inputs": {"tokens": "long[B, T] in below vocabulary"}}

    hidden = -1e-9

    def __init__(self, vocabulary: int, width: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.query, self.key, self.value = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.head = nn.Linear(width, vocabulary)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens)
        scores = self.query(x) @ self.key(x).mT / x.shape[-1] ** 0.5
        scores = scores + self.hidden * torch.ones_like(scores[0]).triu(1)
        return self.head(x + scores.softmax(dim=-1) @ self.value(x))


class Right(Wrong):
    hidden = -1e9
