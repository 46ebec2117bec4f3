"""A causal mean weighs by a triangular matrix of the whole length for each channel, and adds up its products."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "memory-growth"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 3]"}}

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[1]
        causal = torch.ones(length, length, dtype=x.dtype, device=x.device).tril()
        mean = (x[:, None] * causal[..., None]).sum(2) / causal.sum(-1, keepdim=True)
        return self.out(mean)


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        count = torch.arange(1, x.shape[1] + 1, dtype=x.dtype, device=x.device)
        return self.out(x.cumsum(1) / count[:, None])
