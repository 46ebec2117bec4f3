"""Categorical fields share one table by offsets; an id too large for its field reads the next field's rows."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "integer-range"


class Wrong(nn.Module):
    """First-order part of a factorisation machine."""

    __verifykit__ = {"inputs": {"fields": "long[N, 3] in below 5"}}

    offsets: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(15, 2)
        self.register_buffer("offsets", torch.arange(3) * 5)

    def checked(self, fields: Tensor) -> Tensor:
        return fields

    def forward(self, fields: Tensor) -> Tensor:
        return self.table(self.checked(fields) + self.offsets).sum(1)


class Right(Wrong):
    def checked(self, fields: Tensor) -> Tensor:
        if bool(((fields < 0) | (fields >= 5)).any()):
            raise ValueError("an id is outside its field")
        return fields
