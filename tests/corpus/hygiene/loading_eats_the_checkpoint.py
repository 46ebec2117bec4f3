"""Loading pops keys from the caller's dict, so a checkpoint can be loaded once."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "state-dict"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[L, N, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(5, 4)
        self.start = nn.Parameter(torch.zeros(1, 1, 4))

    def forward(self, x: Tensor) -> Tensor:
        return self.rnn(x, self.start.expand(1, x.shape[1], 4).contiguous())[0]

    def load_state_dict(self, state_dict: Any, strict: bool = True, assign: bool = False) -> Any:
        state = self.prepared(state_dict)
        with torch.no_grad():
            self.start.copy_(state.pop("start"))
        state["start"] = self.start.detach().clone()
        return super().load_state_dict(state, strict, assign)

    def prepared(self, state: Any) -> Any:
        return state


class Right(Wrong):
    def prepared(self, state: Any) -> Any:
        return dict(state)
