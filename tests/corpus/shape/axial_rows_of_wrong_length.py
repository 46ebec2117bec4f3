"""Row attention folds columns into the batch, where rows belong, and takes the heights for widths."""

from torch import Tensor, nn

CAUGHT_BY = "non-square"


class Wrong(nn.Module):
    """A recurrent pass along every row of an image."""

    __verifykit__ = {"inputs": {"x": "float[N, H, W, 3]"}}

    def __init__(self) -> None:
        super().__init__()
        self.scan = nn.GRU(3, 4, batch_first=True)

    def rows(self, x: Tensor) -> Tensor:
        n, h, w, c = x.shape
        return x.reshape(n * w, h, c)

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.scan(self.rows(x))
        out: Tensor = states.reshape(*x.shape[:3], 4)
        return out


class Right(Wrong):
    def rows(self, x: Tensor) -> Tensor:
        n, h, w, c = x.shape
        return x.reshape(n * h, w, c)
