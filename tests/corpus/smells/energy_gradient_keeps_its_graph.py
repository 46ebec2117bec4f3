"""An energy model differentiates inside forward and returns forces that still hold the graph."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "retained-graph"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"place": "float[N, 3]"}}

    def __init__(self) -> None:
        super().__init__()
        self.energy = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))

    def keeps(self, place: Tensor) -> bool:
        return True

    def forward(self, place: Tensor) -> Tensor:
        with torch.enable_grad():
            moved = place if place.requires_grad else place.detach().requires_grad_()
            (force,) = torch.autograd.grad(self.energy(moved).sum(), moved, create_graph=self.keeps(place))
        return -force


class Right(Wrong):
    def keeps(self, place: Tensor) -> bool:
        wanted = place.requires_grad or any(p.requires_grad for p in self.parameters())
        return torch.is_grad_enabled() and wanted
