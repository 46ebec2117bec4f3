"""A pooling layer silences every warning of the program to hide one of its own."""

import warnings

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "global-state"


class Wrong(nn.Module):
    __verifykit__ = {"init": {"width": 2}, "inputs": {"x": "float[N, 3, 8]"}}

    def __init__(self, width: int) -> None:
        super().__init__()
        warnings.filterwarnings("ignore", message="a pooling layer was built")
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool1d(x, self.width) + F.max_pool1d(x, self.width)


class Right(Wrong):
    def __init__(self, width: int) -> None:
        nn.Module.__init__(self)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="a pooling layer was built")
            self.width = width
