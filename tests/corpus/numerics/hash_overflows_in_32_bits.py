"""A hash multiplies in the integers that it is given: 32-bit ids overflow and land in other buckets."""

from torch import Tensor, nn

CAUGHT_BY = "integer-range"


class Wrong(nn.Module):
    """Embedding of hashed n-grams."""

    __verifykit__ = {"inputs": {"gram": "long[N, 2] in below 50000"}}

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(101, 3)

    def wide(self, gram: Tensor) -> Tensor:
        return gram

    def forward(self, gram: Tensor) -> Tensor:
        gram = self.wide(gram)
        return self.table((gram[:, 0] * 1000003 + gram[:, 1]) % 101)


class Right(Wrong):
    def wide(self, gram: Tensor) -> Tensor:
        return gram.long()
