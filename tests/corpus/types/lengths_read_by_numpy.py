"""The greatest length is asked of NumPy, which reads no tensor on a GPU."""

import numpy as np
import torch
from torch import Tensor, nn

CAUGHT_BY = "device"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 9, 4]", "lengths": "long[N] in [1, 9]"}}

    def __init__(self) -> None:
        super().__init__()
        self.score = nn.Linear(4, 1)

    def valid(self, x: Tensor, lengths: Tensor) -> Tensor:
        ends = lengths.numpy()[:, None]
        return torch.from_numpy(np.arange(x.shape[1]) < ends)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        scores = self.score(x).squeeze(-1).masked_fill(~self.valid(x, lengths), float("-inf"))
        return torch.einsum("nt,ntd->nd", scores.softmax(-1), x)


class Right(Wrong):
    def valid(self, x: Tensor, lengths: Tensor) -> Tensor:
        return torch.arange(x.shape[1], device=x.device) < lengths[:, None]
