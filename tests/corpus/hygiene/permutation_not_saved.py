"""A flow's random permutation is a buffer that is not saved, so a restored flow shuffles otherwise."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "registration"


class Wrong(nn.Module):
    __verifykit__ = {"init": {"dim": 6}, "inputs": {"x": "float[N, dim]"}}
    saved = False

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("order", torch.randperm(dim), persistent=self.saved)
        self.net = nn.Linear(dim // 2, dim)

    def forward(self, x: Tensor) -> Tensor:
        kept, moved = x[:, self.order].chunk(2, -1)
        log_scale, shift = self.net(kept).chunk(2, -1)
        return torch.cat([kept, moved * log_scale.tanh().exp() + shift], -1)


class Right(Wrong):
    saved = True
