"""A diversity penalty makes all pairwise differences of the batch where two moments are enough."""

from torch import Tensor, nn

CAUGHT_BY = "memory-growth"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"embedding": "float[N, 5]"}}

    def forward(self, embedding: Tensor) -> Tensor:
        pairs = embedding[:, None] - embedding[None]
        return pairs.square().sum(-1).mean()


class Right(Wrong):
    def forward(self, embedding: Tensor) -> Tensor:
        centred = embedding - embedding.mean(0)
        return 2 * centred.square().sum(-1).mean()
