"""A helper that forward needs carries the decorator no_grad from the days when it was used for logging."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "gradient"  # and not graph-cut: x has another way, past the router


class Wrong(nn.Module):
    """A mixture of experts; the router is behind the cut."""

    __verifykit__ = {"inputs": {"x": "float[N, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.router = nn.Linear(5, 3)
        self.experts = nn.ModuleList([nn.Linear(5, 4) for _ in range(3)])

    @torch.no_grad()
    def gates(self, x: Tensor) -> Tensor:
        return self.router(x).softmax(-1)

    def forward(self, x: Tensor) -> Tensor:
        outputs = torch.stack([expert(x) for expert in self.experts], -1)
        return (outputs * self.gates(x)[:, None]).sum(-1)


class Right(Wrong):
    def gates(self, x: Tensor) -> Tensor:
        return self.router(x).softmax(-1)
