"""The table of relative buckets has one row too few, which only the greatest bucket tells."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "integer-range"


class Wrong(nn.Module):
    """A bias for each distance bucket, 0 to buckets, both included."""

    __verifykit__ = {"init": {"buckets": 40}, "inputs": {"bucket": "long[N] in below buckets + 1"}}

    extra = 0

    def __init__(self, buckets: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.randn(buckets + self.extra, 2))

    def forward(self, bucket: Tensor) -> Tensor:
        return self.bias.index_select(0, bucket)


class Right(Wrong):
    extra = 1
