"""A custom operator has a kernel and a gradient, yet no fake kernel, so that nothing that uses it can be compiled."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "opcheck"


def softsign(x: Tensor) -> Tensor:
    return x / (1 + x.abs())


def _setup(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _backward(ctx: Any, grad: Tensor) -> Tensor:
    (x,) = ctx.saved_tensors
    return grad / (1 + x.abs()).square()


bare = torch.library.custom_op("planted::softsign", softsign, mutates_args=())
bare.register_autograd(_backward, setup_context=_setup)
complete = torch.library.custom_op("planted::softsign_complete", softsign, mutates_args=())
complete.register_autograd(_backward, setup_context=_setup)
complete.register_fake(torch.empty_like)


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 5]", "h": "float[N, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.ih, self.hh = nn.Linear(5, 4), nn.Linear(4, 4)

    def squash(self, x: Tensor) -> Tensor:
        return bare(x)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.squash(self.ih(x) + self.hh(h))


class Right(Wrong):
    def squash(self, x: Tensor) -> Tensor:
        return complete(x)
