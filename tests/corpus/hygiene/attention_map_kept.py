"""The attention map is kept for plots with its graph, so a module that has been called cannot be copied."""

from torch import Tensor, nn

CAUGHT_BY = "copy"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        weights = (self.query(x) @ self.key(x).mT / 8**0.5).softmax(-1)
        self.keep(weights)
        return weights @ self.value(x)

    def keep(self, weights: Tensor) -> None:
        self.weights = weights


class Right(Wrong):
    def keep(self, weights: Tensor) -> None:
        self.weights = weights.detach()
