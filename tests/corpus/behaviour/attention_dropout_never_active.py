"""Attention passes its dropout rate on in eval mode instead of in training."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "train-eval"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(6, 18)
        self.dropout = nn.Dropout(0.2)

    def is_active(self) -> bool:
        return False

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.qkv(x).chunk(3, -1)
        rate = self.dropout.p if self.is_active() else 0.0
        return F.scaled_dot_product_attention(query, key, value, dropout_p=rate)


class Right(Wrong):
    def is_active(self) -> bool:
        return self.training
