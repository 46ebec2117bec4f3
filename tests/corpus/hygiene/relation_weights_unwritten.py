"""A graph layer fills the weights of its first relation only; the rest is uninitialised memory."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "initialisation"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"nodes": "float[V, 4]", "adjacency": "float[3, V, V] in [0, 1]"}}

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(3, 4, 5))
        self.reset()

    def reset(self) -> None:
        nn.init.xavier_uniform_(self.weight[0])

    def forward(self, nodes: Tensor, adjacency: Tensor) -> Tensor:
        return torch.relu(torch.einsum("rvu,ui,rio->vo", adjacency, nodes, self.weight))


class Right(Wrong):
    def reset(self) -> None:
        for weight in self.weight:
            nn.init.xavier_uniform_(weight)
