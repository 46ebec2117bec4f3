"""A total is run up step by step in the type of the input, until steps are too small to count."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "low-precision"


class Wrong(nn.Module):
    """Mean energy of a recording, taken over all its frames."""

    __verifykit__ = {"inputs": {"energy": "float[N, T, 3] in [0, 10]"}}

    def start(self, energy: Tensor) -> Tensor:
        return energy.new_zeros(energy.shape[0], energy.shape[2])

    def forward(self, energy: Tensor) -> Tensor:
        total = self.start(energy)
        for frame in energy.unbind(1):
            total = total + frame
        return (total / energy.shape[1]).to(energy.dtype)


class Right(Wrong):
    def start(self, energy: Tensor) -> Tensor:
        return super().start(energy).to(torch.promote_types(energy.dtype, torch.float32))
