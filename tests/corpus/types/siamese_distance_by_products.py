"""The distance of two embeddings is expanded into products, which cancel where they match."""

from torch import Tensor, nn

CAUGHT_BY = "accuracy"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"left": "float[N, 8]", "right": "float[N, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(8, 8)

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        squared = a.square().sum(-1) + b.square().sum(-1) - 2 * (a * b).sum(-1)
        return squared.clamp_min(1e-12).sqrt()

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return self.distance(self.embed(left), self.embed(right))


class Right(Wrong):
    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        return (a - b).square().sum(-1).clamp_min(1e-12).sqrt()
