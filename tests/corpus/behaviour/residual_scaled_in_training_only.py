"""A gated residual is halved in training and forgotten in eval mode."""

from torch import Tensor, nn

CAUGHT_BY = "train-eval"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.value = nn.Linear(6, 6), nn.Linear(6, 6)

    def scale(self) -> float:
        return 0.5 if self.training else 1.0

    def forward(self, x: Tensor) -> Tensor:
        return x + self.scale() * self.gate(x).sigmoid() * self.value(x)


class Right(Wrong):
    def scale(self) -> float:
        return 0.5
