"""Messages of a graph layer, which autocast makes bfloat16, are added into float32 nodes."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "autocast"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"nodes": "float[V, 6]", "source": "long[E] in below V", "sink": "long[E] in below V"}}

    def __init__(self) -> None:
        super().__init__()
        self.message = nn.Linear(6, 6)

    def total(self, nodes: Tensor, messages: Tensor) -> Tensor:
        return torch.zeros_like(nodes)

    def forward(self, nodes: Tensor, source: Tensor, sink: Tensor) -> Tensor:
        messages = self.message(nodes)[source]
        return nodes + self.total(nodes, messages).index_add(0, sink, messages)


class Right(Wrong):
    def total(self, nodes: Tensor, messages: Tensor) -> Tensor:
        return messages.new_zeros(nodes.shape)
