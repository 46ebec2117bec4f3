"""Stochastic depth tosses Python's coin, which checkpointing tosses again when it runs forward a second time."""

import random

import torch
from torch import Tensor, nn

CAUGHT_BY = "checkpoint"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 6]"}}

    def __init__(self, survival: float = 0.8) -> None:
        super().__init__()
        self.norm, self.feed = nn.LayerNorm(6), nn.Linear(6, 6)
        self.survival = survival

    def keeps(self) -> bool:
        return random.random() < self.survival

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x + self.feed(self.norm(x)).relu()
        return x + self.feed(self.norm(x)).relu() / self.survival if self.keeps() else x.clone()


class Right(Wrong):
    def keeps(self) -> bool:
        return bool(torch.rand(()) < self.survival)
