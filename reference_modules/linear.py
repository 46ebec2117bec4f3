"""An affine map written out by hand."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class CustomLinear(nn.Module):
    """The affine map ``x @ weight.T + bias``.

    ``weight`` has shape ``(output_dim, input_dim)`` and ``bias`` has shape ``(output_dim,)``. Both are drawn
    from a standard normal, so that outputs have a standard deviation of about ``sqrt(input_dim + 1)`` for
    standard normal inputs; ``torch.nn.Linear`` draws them much smaller.

    Example:
        >>> CustomLinear(5, 3)(torch.randn(10, 5)).shape
        torch.Size([10, 3])
    """

    __verifykit__: ClassVar[dict[str, Any]] = {
        "init": {"input_dim": 6, "output_dim": 4},
        "inputs": {"x": "float[N, input_dim]"},
    }

    def __init__(self, input_dim: int, output_dim: int) -> None:
        """Make the layer.

        Args:
            input_dim: size of the last dimension of the input, at least 1.
            output_dim: size of the last dimension of the output, at least 1.

        Raises:
            ValueError: a size is below 1.
        """
        super().__init__()
        if input_dim < 1 or output_dim < 1:
            raise ValueError(f"input_dim and output_dim must be at least 1, not {input_dim} and {output_dim}")
        self.input_dim = input_dim
        self.output_dim = output_dim
        self.weight = nn.Parameter(torch.randn(output_dim, input_dim))
        self.bias = nn.Parameter(torch.randn(output_dim))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the map.

        Args:
            x: of shape ``(..., input_dim)``, in the dtype of the parameters.

        Returns:
            A tensor of shape ``(..., output_dim)``.

        Raises:
            RuntimeError: the last dimension of ``x`` is not ``input_dim``, or its dtype is another.
        """
        return x @ self.weight.T + self.bias

    def extra_repr(self) -> str:
        return f"input_dim={self.input_dim}, output_dim={self.output_dim}"
