"""A readout stacks what it makes of each sample, and there is nothing to stack for an empty batch."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "empty-batch"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"nodes": "float[N, M, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(5, 1)

    def one(self, nodes: Tensor) -> Tensor:
        return (self.gate(nodes).sigmoid() * nodes).sum(-2)

    def forward(self, nodes: Tensor) -> Tensor:
        return torch.stack([self.one(graph) for graph in nodes])


class Right(Wrong):
    def forward(self, nodes: Tensor) -> Tensor:
        return self.one(nodes)
