"""User ids pass through single precision before they are hashed, so that neighbours above 2**24 share a bucket."""

from torch import Tensor, nn

CAUGHT_BY = "integer-range"


class Wrong(nn.Module):
    """Hashed embedding of user ids."""

    __verifykit__ = {"inputs": {"user": "long[N] in below 2000000000"}}

    def __init__(self) -> None:
        super().__init__()
        self.buckets = nn.Embedding(97, 3)

    def hashed(self, user: Tensor) -> Tensor:
        return (user.float() * 31 + 7).long() % 97

    def forward(self, user: Tensor) -> Tensor:
        return self.buckets(self.hashed(user))


class Right(Wrong):
    def hashed(self, user: Tensor) -> Tensor:
        return (user.long() * 31 + 7) % 97
