"""First and second half are compared, and the middle of an odd number belongs to neither."""

from torch import Tensor, nn

CAUGHT_BY = "odd-sizes"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.early, self.late = nn.Linear(4, 3), nn.Linear(4, 3)

    def second(self, x: Tensor) -> Tensor:
        return x[:, -(x.shape[1] // 2) :]

    def forward(self, x: Tensor) -> Tensor:
        first = x[:, : x.shape[1] // 2]
        return self.late(self.second(x)).mean(1) - self.early(first).mean(1)


class Right(Wrong):
    def second(self, x: Tensor) -> Tensor:
        return x[:, x.shape[1] // 2 :]
