"""The attention of a batch-first encoder is built without batch_first, and attends over the batch."""

from torch import Tensor, nn

CAUGHT_BY = "batch-independence"


class Wrong(nn.Module):
    """Encodes sequences of shape (batch, time, features)."""

    __verifykit__ = {"init": {"width": 8}, "inputs": {"x": "float[N, L, width]"}}

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 2, batch_first=self.swapped())
        self.feed = nn.Linear(width, width)

    def swapped(self) -> bool:
        return False

    def forward(self, x: Tensor) -> Tensor:
        seen = self.norm(x)
        x = x + self.attention(seen, seen, seen, need_weights=False)[0]
        return x + self.feed(x).relu()


class Right(Wrong):
    def swapped(self) -> bool:
        return True
