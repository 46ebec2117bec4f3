"""Pooling over valid steps casts the mask to float32, and the sentence vector with it."""

from torch import Tensor, nn

CAUGHT_BY = "dtype"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, T, 6]", "mask": "bool[N, T]"}}

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(6, 4)

    def weights(self, x: Tensor, mask: Tensor) -> Tensor:
        return mask.unsqueeze(-1).float()

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        weights = self.weights(x, mask)
        total = (self.project(x) * weights).sum(1)
        return total / weights.sum(1).clamp(min=1)


class Right(Wrong):
    def weights(self, x: Tensor, mask: Tensor) -> Tensor:
        return mask.unsqueeze(-1).to(x.dtype)
