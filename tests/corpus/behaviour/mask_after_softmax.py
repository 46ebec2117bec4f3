"""Attention weights are masked after the softmax, whose denominator has seen the padding."""

from torch import Tensor, nn

CAUGHT_BY = "mask"


class Wrong(nn.Module):
    __verifykit__ = {
        "init": {"dim": 6},
        "inputs": {"x": "float[N, L, dim]", "key_padding_mask": "bool[N, L]"},
    }

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(dim, dim) for _ in range(3))

    def weights(self, scores: Tensor, hidden: Tensor) -> Tensor:
        return scores.softmax(dim=-1).masked_fill(hidden, 0.0)

    def forward(self, x: Tensor, key_padding_mask: Tensor) -> Tensor:
        scores = self.q(x) @ self.k(x).mT / x.shape[-1] ** 0.5
        return self.weights(scores, key_padding_mask[:, None, :]) @ self.v(x)


class Right(Wrong):
    def weights(self, scores: Tensor, hidden: Tensor) -> Tensor:
        return scores.masked_fill(hidden, -1e9).softmax(dim=-1)
