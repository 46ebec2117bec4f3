"""The extra state holds an object of a class of its own, which torch.load refuses by default."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

CAUGHT_BY = "state-dict"


@dataclass
class Range:
    low: float
    high: float


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.range = Range(-1.0, 1.0)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x).clamp(self.range.low, self.range.high)

    def get_extra_state(self) -> object:
        return self.range

    def set_extra_state(self, state: Any) -> None:
        self.range = state


class Right(Wrong):
    def get_extra_state(self) -> object:
        return {"low": self.range.low, "high": self.range.high}

    def set_extra_state(self, state: Any) -> None:
        self.range = Range(**state)
