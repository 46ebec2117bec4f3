"""The backward of a log-sum-exp runs under no_grad, which hides it from the second derivative without refusing it."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "double-backward"


class LogSumExp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.logsumexp(-1)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        with torch.no_grad():
            weights = x.softmax(-1)
        return grad_output[..., None] * weights


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"energies": "float[N, K]"}}

    def forward(self, energies: Tensor) -> Tensor:
        return LogSumExp.apply(energies)


class Right(Wrong):
    def forward(self, energies: Tensor) -> Tensor:
        return energies.logsumexp(-1)
