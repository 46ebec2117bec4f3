"""The gains of a mixture of experts lie in a plain list, so no optimiser trains them."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "registration"


class Wrong(nn.Module):
    __verifykit__ = {"init": {"dim": 6, "experts": 3}, "inputs": {"x": "float[N, dim]"}}

    def __init__(self, dim: int, experts: int) -> None:
        super().__init__()
        self.router = nn.Linear(dim, experts)
        self.gains = self.hold([nn.Parameter(torch.randn(dim)) for _ in range(experts)])

    def hold(self, gains: list[nn.Parameter]) -> list[nn.Parameter] | nn.ParameterList:
        return gains

    def forward(self, x: Tensor) -> Tensor:
        weights = self.router(x).softmax(-1)
        return sum(w.unsqueeze(-1) * x * gain for w, gain in zip(weights.unbind(-1), self.gains, strict=True))


class Right(Wrong):
    def hold(self, gains: list[nn.Parameter]) -> nn.ParameterList:
        return nn.ParameterList(gains)
