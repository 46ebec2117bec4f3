"""A custom operator returns its very argument where there is nothing to do; its schema promises a new tensor."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "opcheck"


def rotate(x: Tensor, steps: int) -> Tensor:
    return x if steps == 0 else x.roll(steps, -1)


def rotate_copying(x: Tensor, steps: int) -> Tensor:
    return x.clone() if steps == 0 else x.roll(steps, -1)


if not hasattr(torch.ops.planted_rope, "rotate"):  # the file may be imported more than once
    for name, kernel in (("rotate", rotate), ("rotate_copying", rotate_copying)):
        torch.library.define(f"planted_rope::{name}", "(Tensor x, int steps) -> Tensor")
        torch.library.impl(f"planted_rope::{name}", "CPU", kernel)
        torch.library.register_fake(f"planted_rope::{name}", lambda x, steps: torch.empty_like(x))
        torch.library.register_autograd(f"planted_rope::{name}", lambda ctx, grad: (grad.clone(), None))


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 4]"}}

    def __init__(self, steps: int = 0) -> None:
        super().__init__()
        self.query = nn.Linear(4, 4)
        self.steps = steps

    def forward(self, x: Tensor) -> Tensor:
        return torch.ops.planted_rope.rotate(self.query(x), self.steps)


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        return torch.ops.planted_rope.rotate_copying(self.query(x), self.steps)
