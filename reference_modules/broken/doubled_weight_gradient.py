"""A hand-written backward that counts the weight twice."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class DoublingLinear(torch.autograd.Function):
    """``x @ weight.T``; the factor 2 belongs to a squared loss and was left in here."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return x @ weight.T

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        grad_x = grad_output @ weight if ctx.needs_input_grad[0] else None
        grad_weight = 2 * grad_output.T @ x if ctx.needs_input_grad[1] else None
        return grad_x, grad_weight


class DoubledWeightGradient(nn.Module):
    """A linear layer whose weight gradient is twice the true one: `gradient` fails on ``weight``, ratio 2.

    Shapes: ``x`` is ``(N, input_dim)``, the output ``(N, output_dim)``.
    """

    __verifykit__: ClassVar[dict[str, Any]] = {
        "init": {"input_dim": 5, "output_dim": 3},
        "inputs": {"x": "float[N, input_dim]"},
    }

    def __init__(self, input_dim: int, output_dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(output_dim, input_dim))

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = DoublingLinear.apply(x, self.weight)  # type: ignore[no-untyped-call]
        return output
