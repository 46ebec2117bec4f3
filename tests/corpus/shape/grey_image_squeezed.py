"""Dropping the only channel of grey images by squeeze drops the batch dimension of a single image too."""

from torch import Tensor, nn

CAUGHT_BY = "batch-size-one"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"image": "float[N, 1, 8, 8] in [0, 1]"}}

    def __init__(self) -> None:
        super().__init__()
        self.rows = nn.GRU(8, 5, batch_first=True)

    def grey(self, image: Tensor) -> Tensor:
        return image.squeeze()

    def forward(self, image: Tensor) -> Tensor:
        states, _ = self.rows(self.grey(image))
        last: Tensor = states[..., -1, :]
        return last


class Right(Wrong):
    def grey(self, image: Tensor) -> Tensor:
        return image.squeeze(1)
