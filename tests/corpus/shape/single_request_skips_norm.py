"""A fast path for single requests leaves out the normalisation that batches get."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "batch-size-one"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(6)
        self.head = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[0] == 1:  # serving: spare the kernel launch
            return torch.log_softmax(self.head(x), -1)
        return torch.log_softmax(self.head(self.norm(x)), -1)


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        return torch.log_softmax(self.head(self.norm(x)), -1)
