"""A deep copy shares the encoder to save memory, so a target network moves with the online one."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "copy"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"image": "float[N, 2, 8, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Conv2d(2, 4, 3, stride=2)
        self.head = nn.Linear(4, 3)

    def forward(self, image: Tensor) -> Tensor:
        return self.head(torch.relu(self.encoder(image)).mean((2, 3)))

    def __deepcopy__(self, memo: dict[int, Any]) -> "Wrong":
        twin = type(self)().to(self.head.weight)
        twin.encoder = self.encoder
        twin.head = copy.deepcopy(self.head, memo)
        return twin


class Right(Wrong):
    def __deepcopy__(self, memo: dict[int, Any]) -> "Right":
        twin = type(self)().to(self.head.weight)
        twin.load_state_dict(self.state_dict())
        return twin
