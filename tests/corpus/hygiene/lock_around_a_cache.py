"""A lock guards the cached positions, and a lock can be neither copied nor pickled."""

import contextlib
import threading

import torch
from torch import Tensor, nn

CAUGHT_BY = "copy"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(6, 6)
        self.lock = threading.Lock()

    def forward(self, x: Tensor) -> Tensor:
        with self.lock:
            steps = torch.arange(x.shape[1], device=x.device, dtype=x.dtype)
        return self.mix(x) + torch.sin(steps)[:, None]


class Right(Wrong):
    def __init__(self) -> None:
        super().__init__()
        self.lock = contextlib.nullcontext()
