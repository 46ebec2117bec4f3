"""A pooling layer decides by the data, in Python, whether there is anything to pool."""

from torch import Tensor, nn

CAUGHT_BY = "export"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 4]", "mask": "bool[N, L]"}}

    def __init__(self) -> None:
        super().__init__()
        self.score = nn.Linear(4, 1)

    def weights(self, scores: Tensor, mask: Tensor) -> Tensor:
        if mask.any():
            scores = scores.masked_fill(mask, -1e9)
        return scores.softmax(-1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return (self.weights(self.score(x)[..., 0], mask)[..., None] * x).sum(1)


class Right(Wrong):
    def weights(self, scores: Tensor, mask: Tensor) -> Tensor:
        return scores.masked_fill(mask, -1e9).softmax(-1)
