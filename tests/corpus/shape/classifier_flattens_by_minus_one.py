"""A classifier flattens by view(N, -1), which says nothing where N is 0."""

from torch import Tensor, nn

CAUGHT_BY = "empty-batch"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 3, 6, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(3, 4, 3, padding=1)
        self.head = nn.Linear(144, 5)

    def flat(self, x: Tensor) -> Tensor:
        return x.view(x.shape[0], -1)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.flat(self.features(x).relu()))
        return scores


class Right(Wrong):
    def flat(self, x: Tensor) -> Tensor:
        return x.flatten(1)
