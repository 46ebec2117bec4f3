"""The fake kernel of a pooling operator rounds the length up where the kernel itself rounds it down."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "opcheck"


@torch.library.custom_op("planted::pair_mean", mutates_args=())
def pair_mean(x: Tensor) -> Tensor:
    even = x[..., : x.shape[-1] // 2 * 2]
    return even.unflatten(-1, (-1, 2)).mean(-1)


@pair_mean.register_fake
def _(x: Tensor) -> Tensor:
    return x.new_empty(*x.shape[:-1], (x.shape[-1] + 1) // 2)


def _setup(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
    ctx.length = inputs[0].shape[-1]


def _backward(ctx: Any, grad: Tensor) -> Tensor:
    spread = grad.repeat_interleave(2, -1) / 2
    return torch.nn.functional.pad(spread, (0, ctx.length - spread.shape[-1]))


pair_mean.register_autograd(_backward, setup_context=_setup)


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 3, L]"}}

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(3, 4, 3, padding=1)

    def pool(self, x: Tensor) -> Tensor:
        return pair_mean(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(self.conv(x)).relu()


fixed = torch.library.custom_op("planted::pair_mean_fixed", pair_mean._init_fn, mutates_args=())
fixed.register_fake(lambda x: x.new_empty(*x.shape[:-1], x.shape[-1] // 2))
fixed.register_autograd(_backward, setup_context=_setup)


class Right(Wrong):
    def pool(self, x: Tensor) -> Tensor:
        return fixed(x)
