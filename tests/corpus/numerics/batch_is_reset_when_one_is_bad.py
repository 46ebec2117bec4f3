"""A guard looks for NaN anywhere in the batch and then skips the layer for all samples."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "nan-propagation"


class Wrong(nn.Module):
    """A residual block that protects itself."""

    __verifykit__ = {"inputs": {"x": "float[N, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.branch = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 5))

    def guarded(self, x: Tensor, branch: Tensor) -> Tensor:
        return x if torch.isnan(branch).any() else x + branch

    def forward(self, x: Tensor) -> Tensor:
        return self.guarded(x, self.branch(x))


class Right(Wrong):
    def guarded(self, x: Tensor, branch: Tensor) -> Tensor:
        return x + branch
