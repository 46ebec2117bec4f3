"""The representation runs the model in training mode to show its output size, which moves running statistics."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "repr"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"image": "float[N, 3, 8, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, image: Tensor) -> Tensor:
        return torch.relu(self.norm(self.conv(image)))

    def extra_repr(self) -> str:
        self.train()
        output = self(torch.ones(2, 3, 8, 8).to(self.conv.weight))
        return f"output={tuple(output.shape[1:])}"


class Right(Wrong):
    def extra_repr(self) -> str:
        return "output=(4, 6, 6)"
