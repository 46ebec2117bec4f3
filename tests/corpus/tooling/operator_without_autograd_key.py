"""An operator has its gradient inside its CPU kernel, under autograd's reach: nothing is registered for autograd."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "opcheck"


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return 3 * x**2 * grad_output


if not hasattr(torch.ops.planted_power, "cube"):  # the file may be imported more than once
    for name, kernel in (("cube", Cube.apply), ("cube_registered", lambda x: x**3)):
        torch.library.define(f"planted_power::{name}", "(Tensor x) -> Tensor")
        torch.library.impl(f"planted_power::{name}", "CPU", kernel)
        torch.library.register_fake(f"planted_power::{name}", torch.empty_like)
    torch.library.register_autograd(
        "planted_power::cube_registered",
        Cube.backward,
        setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs),
    )


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 4]"}}

    def cube(self, x: Tensor) -> Tensor:
        return torch.ops.planted_power.cube(x)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.cube(x)


class Right(Wrong):
    def cube(self, x: Tensor) -> Tensor:
        return torch.ops.planted_power.cube_registered(x)
