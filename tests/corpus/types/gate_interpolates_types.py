"""A gated cell interpolates between its float32 state and a candidate that autocast makes bfloat16."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "autocast"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 5]", "state": "float[N, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.candidate = nn.Linear(9, 4), nn.Linear(9, 4)

    def mix(self, state: Tensor, candidate: Tensor, gate: Tensor) -> Tensor:
        return torch.lerp(state, candidate, gate)

    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        both = torch.cat([x, state], -1)
        return self.mix(state, torch.tanh(self.candidate(both)), torch.sigmoid(self.gate(both)))


class Right(Wrong):
    def mix(self, state: Tensor, candidate: Tensor, gate: Tensor) -> Tensor:
        return state + gate * (candidate - state)
