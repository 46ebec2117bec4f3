"""The update gate of a recurrent cell has its gradient's sign turned round."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class Blend(torch.autograd.Function):
    """``(1 - z) * candidate + z * state``."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, candidate: Tensor, state: Tensor) -> Tensor:
        ctx.save_for_backward(z, candidate, state)
        return (1 - z) * candidate + z * state

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        z, candidate, state = ctx.saved_tensors
        return grad_output * (candidate - state), grad_output * (1 - z), grad_output * z


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 5]", "state": "float[N, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.candidate = nn.Linear(9, 4), nn.Linear(9, 4)

    def blend(self, z: Tensor, candidate: Tensor, state: Tensor) -> Tensor:
        return Blend.apply(z, candidate, state)

    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        both = torch.cat([x, state], -1)
        return self.blend(self.gate(both).sigmoid(), self.candidate(both).tanh(), state)


class Right(Wrong):
    def blend(self, z: Tensor, candidate: Tensor, state: Tensor) -> Tensor:
        return (1 - z) * candidate + z * state
