"""Attention over given scores fills the padding in the caller's own scores."""

import math

from torch import Tensor, nn

CAUGHT_BY = "purity"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"scores": "float[N, H, L, L]", "value": "float[N, H, L, 5]", "padding": "bool[N, L]"}}

    def forward(self, scores: Tensor, value: Tensor, padding: Tensor) -> Tensor:
        scores /= math.sqrt(value.shape[-1])
        scores = scores.masked_fill(padding[:, None, None, :], -1e9)
        return scores.softmax(-1) @ value


class Right(Wrong):
    def forward(self, scores: Tensor, value: Tensor, padding: Tensor) -> Tensor:
        scores = scores / math.sqrt(value.shape[-1])
        scores = scores.masked_fill(padding[:, None, None, :], -1e9)
        return scores.softmax(-1) @ value
