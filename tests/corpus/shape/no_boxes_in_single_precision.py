"""Where there are no proposals a new tensor of the default dtype is returned."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "empty-batch"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"proposals": "float[N, 7]"}}

    def __init__(self) -> None:
        super().__init__()
        self.regress = nn.Linear(7, 4)

    def none(self, proposals: Tensor) -> Tensor:
        return torch.empty(0, 4, dtype=torch.float32)

    def forward(self, proposals: Tensor) -> Tensor:
        if len(proposals) == 0:
            return self.none(proposals)
        boxes: Tensor = self.regress(proposals)
        return boxes


class Right(Wrong):
    def none(self, proposals: Tensor) -> Tensor:
        return proposals.new_empty(0, 4)
