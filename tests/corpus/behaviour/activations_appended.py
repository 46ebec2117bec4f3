"""A conv block appends each activation, with its graph, to a list that nobody empties."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "state-leak"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"image": "float[N, 3, H, W]"}}

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.activations: list[Tensor] = []

    def forward(self, image: Tensor) -> Tensor:
        hidden = torch.relu(self.conv(image))
        self.activations.append(hidden)
        return hidden.mean((-2, -1))


class Right(Wrong):
    def forward(self, image: Tensor) -> Tensor:
        hidden = torch.relu(self.conv(image))
        self.activations = [hidden.detach()]
        return hidden.mean((-2, -1))
