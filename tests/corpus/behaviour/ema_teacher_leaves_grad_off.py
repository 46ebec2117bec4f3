"""The teacher's pass switches gradients off for good; the caller's training loop learns nothing any more."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "global-state"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.student = nn.Linear(6, 4)
        self.teacher = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        student = self.student(x)
        torch.set_grad_enabled(False)
        teacher = self.teacher(x)
        return (student - teacher).square().mean(-1)


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        student = self.student(x)
        with torch.no_grad():
            teacher = self.teacher(x)
        return (student - teacher).square().mean(-1)
