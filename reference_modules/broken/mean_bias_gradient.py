"""A hand-written backward that averages over the batch where it must sum."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class MeanBias(torch.autograd.Function):
    """``x + bias``; the bias is broadcast over the batch, so its gradient is a sum over it, not a mean."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bias: Tensor) -> Tensor:
        return x + bias

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor]:
        return grad_output, grad_output.mean(0)


class MeanBiasGradient(nn.Module):
    """A shift whose bias gradient is too small by the batch size: `gradient` fails on ``bias``.

    Shapes: ``x`` is ``(N, features)``, the output the same.
    """

    __verifykit__: ClassVar[dict[str, Any]] = {"init": {"features": 4}, "inputs": {"x": "float[N, features]"}}

    def __init__(self, features: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(features))

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = MeanBias.apply(x, self.bias)  # type: ignore[no-untyped-call]
        return output
