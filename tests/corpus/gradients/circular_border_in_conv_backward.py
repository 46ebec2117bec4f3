"""A causal convolution pads with zeros going forward, yet its backward rolls gradients round the border."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "gradient"


def shifted(x: Tensor, by: int) -> Tensor:
    return F.pad(x, (by, 0))[..., : x.shape[-1]]


class CausalDepthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, taps: Tensor) -> Tensor:
        ctx.save_for_backward(x, taps)
        return sum(taps[k][:, None] * shifted(x, k) for k in range(len(taps)))  # type: ignore[return-value]

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor]:
        x, taps = ctx.saved_tensors
        grad_x = sum(taps[k][:, None] * grad_output.roll(-k, -1) for k in range(len(taps)))
        grad_taps = torch.stack([(grad_output * shifted(x, k)).sum((0, 2)) for k in range(len(taps))])
        return grad_x, grad_taps  # type: ignore[return-value]


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 4, L]"}}

    def __init__(self) -> None:
        super().__init__()
        self.taps = nn.Parameter(torch.randn(3, 4))

    def forward(self, x: Tensor) -> Tensor:
        return CausalDepthwise.apply(x, self.taps)


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([self.taps[k][:, None] * shifted(x, k) for k in range(len(self.taps))]).sum(0)
