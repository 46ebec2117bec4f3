"""Attention replaces NaN by 0 so that rows without a key survive, and hides every other NaN as well."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "nan-propagation"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, T, 4]", "valid": "bool[N, T]"}}

    def __init__(self) -> None:
        super().__init__()
        self.qk = nn.Linear(4, 8)
        self.value = nn.Linear(4, 4)

    def weights(self, scores: Tensor, valid: Tensor) -> Tensor:
        return scores.masked_fill(~valid[:, None, :], -torch.inf).softmax(-1)

    def clean(self, mixed: Tensor) -> Tensor:
        return mixed.nan_to_num()

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        q, k = self.qk(x).chunk(2, dim=-1)
        return self.clean(self.weights(q @ k.transpose(-2, -1), valid) @ self.value(x))


class Right(Wrong):
    def weights(self, scores: Tensor, valid: Tensor) -> Tensor:
        return scores.masked_fill(~valid[:, None, :], torch.finfo(scores.dtype).min).softmax(-1)

    def clean(self, mixed: Tensor) -> Tensor:
        return mixed
