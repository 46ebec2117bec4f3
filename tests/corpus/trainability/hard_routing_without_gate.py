"""A mixture of experts picks one by argmax and never multiplies by its probability, so the router never learns."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "overfit"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.router = nn.Linear(5, 3)
        self.experts = nn.Parameter(torch.randn(3, 5, 4) / 5**0.5)

    def gate(self, probability: Tensor) -> Tensor:
        return torch.ones_like(probability)

    def forward(self, x: Tensor) -> Tensor:
        probability, chosen = self.router(x).softmax(-1).max(-1)
        outputs = torch.einsum("nd,ndo->no", x, self.experts[chosen])
        return self.gate(probability)[:, None] * outputs


class Right(Wrong):
    def gate(self, probability: Tensor) -> Tensor:
        return probability
