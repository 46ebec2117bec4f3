"""Forward switches gradients of the backbone back on, so it cannot be frozen."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "freeze"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"image": "float[N, 2, 6, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Conv2d(2, 4, 3)
        self.head = nn.Linear(4, 3)

    def forward(self, image: Tensor) -> Tensor:
        self.prepare()
        return self.head(torch.relu(self.backbone(image)).mean((2, 3)))

    def prepare(self) -> None:
        self.backbone.requires_grad_(self.training)


class Right(Wrong):
    def prepare(self) -> None:
        pass
