"""A contrastive head reads its learnt temperature as a Python number."""

import math

import torch
from torch import Tensor, nn

CAUGHT_BY = "host-sync"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"image": "float[N, 8]", "text": "float[N, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(1.0))

    def scale(self) -> float | Tensor:
        return math.exp(min(self.log_scale.item(), 4.6))

    def forward(self, image: Tensor, text: Tensor) -> Tensor:
        return self.scale() * image @ text.T


class Right(Wrong):
    def scale(self) -> float | Tensor:
        return self.log_scale.clamp(max=4.6).exp()
