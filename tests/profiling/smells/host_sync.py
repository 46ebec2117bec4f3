"""Values that the host has to wait for."""

# ruff: noqa: RUF012  # __verifykit__ is written as users write it

import torch
from torch import Tensor, nn


class RescaledByItem(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        peak = x.detach().abs().max().item()  # smell: host sync
        return self.linear(x / (peak + 1.0))


class ClipsOnDemand(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 8]"}}

    def forward(self, x: Tensor) -> Tensor:
        norm = x.norm(dim=-1, keepdim=True)
        if (norm > 1.0).any():  # smell: host sync
            x = x / norm.clamp(min=1.0)
        return x


class RoutedTokens(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[T, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(6, 1)
        self.expert = nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        picked = self.gate(x).squeeze(-1) > 0
        rows = torch.nonzero(picked).squeeze(-1)  # smell: host sync
        return x.index_add(0, rows, self.expert(x[rows]))


class MaskedLoss(nn.Module):
    __verifykit__ = {"inputs": {"prediction": "float[N, L]", "target": "float[N, L]", "valid": "bool[N, L]"}}

    def forward(self, prediction: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        gap = (prediction - target)[valid]  # smell: host sync
        return gap.square().sum() / prediction.shape[0]


class LengthFromData(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 5]"}}

    def forward(self, x: Tensor) -> Tensor:
        weight = float(x.detach().sigmoid().mean())  # smell: host sync
        return torch.lerp(x, x.tanh(), weight)
