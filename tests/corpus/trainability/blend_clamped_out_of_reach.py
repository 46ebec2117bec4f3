"""A learnt blend of two paths is clamped to 0 and 1, and starts at a value beyond, where the clamp has no slope."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "overfit"


class Wrong(nn.Module):
    """Local and global features of a series, blended."""

    __verifykit__ = {"inputs": {"x": "float[N, 3, 10]"}}

    start = -2.0  # meant as a logit

    def __init__(self) -> None:
        super().__init__()
        self.local = nn.Conv1d(3, 3, 3, padding=1)
        self.everywhere = nn.Linear(3, 3)
        self.blend = nn.Parameter(torch.tensor(self.start))

    def share(self) -> Tensor:
        return self.blend.clamp(0, 1)

    def forward(self, x: Tensor) -> Tensor:
        share = self.share()
        everywhere = self.everywhere(x.mean(-1))[..., None]
        return share * everywhere + (1 - share) * self.local(x)


class Right(Wrong):
    def share(self) -> Tensor:
        return self.blend.sigmoid()
