"""While it is being exported, a convolution pads by replication instead of reflection, which some runtime lacked."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "export"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 2, 8, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3)

    def pad(self, x: Tensor) -> Tensor:
        return F.pad(x, (1, 1, 1, 1), mode="replicate" if torch.compiler.is_compiling() else "reflect")

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.pad(x))


class Right(Wrong):
    def pad(self, x: Tensor) -> Tensor:
        return F.pad(x, (1, 1, 1, 1), mode="reflect")
