"""Attention weights are exponentials divided by their sum, the maximum never subtracted."""

from torch import Tensor, nn

CAUGHT_BY = "extremes"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, T, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(8, 24)
        self.out = nn.Linear(8, 8)

    def weights(self, scores: Tensor) -> Tensor:
        unnormalised = scores.exp()
        return unnormalised / unnormalised.sum(-1, keepdim=True)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        return self.out(self.weights(q @ k.transpose(-2, -1) / 8**0.5) @ v)


class Right(Wrong):
    def weights(self, scores: Tensor) -> Tensor:
        return scores.softmax(-1)
