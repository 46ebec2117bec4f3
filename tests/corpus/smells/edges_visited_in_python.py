"""A graph layer visits every edge in Python to add up messages."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "python-loop"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"nodes": "float[V, 5]", "source": "long[E] in below V", "goal": "long[E] in below V"}}

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(5, 5)

    def forward(self, nodes: Tensor, source: Tensor, goal: Tensor) -> Tensor:
        messages = torch.relu(self.linear(nodes))
        total = torch.zeros_like(nodes)
        for edge in range(source.shape[0]):
            total[goal[edge]] += messages[source[edge]]
        return nodes + total


class Right(Wrong):
    def forward(self, nodes: Tensor, source: Tensor, goal: Tensor) -> Tensor:
        messages = torch.relu(self.linear(nodes))
        return nodes.index_add(0, goal, messages[source])
