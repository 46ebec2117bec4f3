"""Messages are averaged over neighbours; a node without any divides 0 by 0."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "extremes"


class Wrong(nn.Module):
    """A dense graph layer."""

    __verifykit__ = {"inputs": {"features": "float[N, 5, 3]", "adjacency": "float[N, 5, 5] in [0, 1]"}}

    floor = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.own, self.others = nn.Linear(3, 4), nn.Linear(3, 4)

    def forward(self, features: Tensor, adjacency: Tensor) -> Tensor:
        degree = adjacency.sum(-1, keepdim=True).clamp(min=self.floor)
        return torch.relu(self.own(features) + adjacency @ self.others(features) / degree)


class Right(Wrong):
    floor = 1e-6
