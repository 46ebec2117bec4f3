"""A pooling by lengths takes one step of padding along."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "mask"


class Wrong(nn.Module):
    __verifykit__ = {
        "init": {"width": 5},
        "inputs": {"frames": "float[N, T, width]", "lengths": "long[N] in [1, 3]"},
    }

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score, self.value = nn.Linear(width, 1), nn.Linear(width, width)

    def is_inside(self, steps: Tensor, lengths: Tensor) -> Tensor:
        return steps <= lengths

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        inside = self.is_inside(torch.arange(frames.shape[1]), lengths[:, None])
        scores = self.score(frames).squeeze(-1).masked_fill(~inside, float("-inf"))
        return (scores.softmax(dim=1)[..., None] * self.value(frames)).sum(dim=1)


class Right(Wrong):
    def is_inside(self, steps: Tensor, lengths: Tensor) -> Tensor:
        return steps < lengths
