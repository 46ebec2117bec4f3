"""Modules that hold on to something of every call."""

# ruff: noqa: RUF012  # __verifykit__ is written as users write it

import torch
from torch import Tensor, nn


class History(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(6, 6)
        self.activations: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        y = self.linear(x)
        self.activations.append(y)  # smell: growing state
        return y.relu()


class GrowingCache(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("cache", torch.zeros(0, 4), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        self.cache = torch.cat([self.cache, x.detach()])  # smell: growing state
        return x - x.detach().mean(0)


class LossCurve(nn.Module):
    __verifykit__ = {"inputs": {"prediction": "float[N, 5]", "target": "float[N, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.curve: tuple[Tensor, ...] = ()

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        loss = (prediction - target).square().mean()
        self.curve = (*self.curve, loss)  # smell: growing state
        return loss


class SeenIds(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[int, Tensor] = {}

    def forward(self, x: Tensor) -> Tensor:
        summary = x.detach().mean(0)
        self.seen[len(self.seen)] = summary  # smell: growing state
        return x - summary


HOOKED: list[Tensor] = []


class LogsToTheModule(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 7]"}}

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(7)

    def forward(self, x: Tensor) -> Tensor:
        out = self.norm(x)
        HOOKED.append(out.detach().clone())  # smell: growing state
        return out


SEEN: dict[int, tuple[Tensor, Tensor]] = {}


class RemembersPairs(nn.Module):
    """In a tuple, in a dictionary of the file."""

    __verifykit__ = {"inputs": {"x": "float[N, 7]"}}

    def forward(self, x: Tensor) -> Tensor:
        y = x.cumsum(-1)
        SEEN[len(SEEN)] = (x, y)  # smell: growing state
        return y
