"""A hand-written backward that is wrong in one row of the weight."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class RowLinear(torch.autograd.Function):
    """``x @ weight.T``, its weight gradient in tiles of rows; the row left over is taken from elsewhere."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return x @ weight.T

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        grad_x = grad_output @ weight if ctx.needs_input_grad[0] else None
        if not ctx.needs_input_grad[1]:
            return grad_x, None
        rows, tile_rows = weight.shape[0], 3
        tiles = []
        for start in range(0, rows, tile_rows):
            begin = max(0, min(start, rows - tile_rows))  # the last tile moves back, to be read whole
            tile = grad_output[:, begin : begin + tile_rows].T @ x
            tiles.append(tile[: rows - start])  # so its last rows are the ones wanted, not its first
        return grad_x, torch.cat(tiles)


class WrongRow(nn.Module):
    """A linear layer with a wrong last row of the weight gradient: `gradient` fails on ``weight``.

    That is so for an ``output_dim`` of 4, 7, 10, ...: one row is left over after the tiles of three.

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
        output: Tensor = RowLinear.apply(x, self.weight)  # type: ignore[no-untyped-call]
        return output
