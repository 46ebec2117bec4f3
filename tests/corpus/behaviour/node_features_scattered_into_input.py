"""A graph layer accumulates messages into the node features through a view, which are the caller's."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "purity"


class Wrong(nn.Module):
    __verifykit__ = {
        "inputs": {
            "nodes": "float[V, 6]",
            "source": "long[E] in below V",
            "goal": "long[E] in below V",
        }
    }

    def __init__(self) -> None:
        super().__init__()
        self.message = nn.Linear(6, 6)

    def forward(self, nodes: Tensor, source: Tensor, goal: Tensor) -> Tensor:
        messages = torch.tanh(self.message(nodes[source]))
        total = nodes.view(-1, 6)
        total.index_add_(0, goal, messages)
        return total.clone()


class Right(Wrong):
    def forward(self, nodes: Tensor, source: Tensor, goal: Tensor) -> Tensor:
        messages = torch.tanh(self.message(nodes[source]))
        return nodes.index_add(0, goal, messages)
