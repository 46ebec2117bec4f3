"""A hand-written backward that is wrong in one row of the weight."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class RowLinear(torch.autograd.Function):
    """``x @ weight.T``; the last row of the weight gradient is accumulated from the wrong end of the batch."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return x @ weight.T

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        x, weight = ctx.saved_tensors
        grad_weight = torch.empty_like(weight)
        for row in range(weight.shape[0]):
            last = row == weight.shape[0] - 1
            grad_weight[row] = grad_output[:, row] @ (x.flip(0) if last else x)
        return grad_output @ weight, grad_weight


class WrongRow(nn.Module):
    """A linear layer with a wrong last row of the weight gradient: `gradient` fails on ``weight``.

    Shapes: ``x`` is ``(N, input_dim)``, the output ``(N, output_dim)``.
    """

    __verifykit__: ClassVar[dict[str, Any]] = {
        "init": {"input_dim": 5, "output_dim": 4},
        "inputs": {"x": "float[N, input_dim]"},
    }

    def __init__(self, input_dim: int, output_dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(output_dim, input_dim))

    def forward(self, x: Tensor) -> Tensor:
        return RowLinear.apply(x, self.weight)
