"""The state dict leaves out running statistics to be small, and loading does not complain."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "state-dict"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"image": "float[N, 3, 8, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, image: Tensor) -> Tensor:
        return torch.relu(self.norm(self.conv(image)))

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        state = super().state_dict(*args, **kwargs)
        return {key: value for key, value in state.items() if "running" not in key}

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        return super().load_state_dict(state_dict, strict=False, assign=assign)


class Right(Wrong):
    state_dict = nn.Module.state_dict
    load_state_dict = nn.Module.load_state_dict
