"""A graph normalisation writes the degrees of the nodes as a dense diagonal matrix."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "memory-growth"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"nodes": "float[V, 4]", "goal": "long[E] in below V"}}

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def degrees(self, nodes: Tensor, goal: Tensor) -> Tensor:
        return 1 + nodes.new_zeros(len(nodes)).index_add(0, goal, nodes.new_ones(len(goal)))

    def forward(self, nodes: Tensor, goal: Tensor) -> Tensor:
        scale = torch.diag_embed(self.degrees(nodes, goal).rsqrt())
        return scale @ self.linear(nodes)


class Right(Wrong):
    def forward(self, nodes: Tensor, goal: Tensor) -> Tensor:
        scale = self.degrees(nodes, goal).rsqrt()
        return scale[:, None] * self.linear(nodes)
