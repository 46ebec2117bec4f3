"""An activation that passes what lies above a threshold."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class ThresholdReLU(nn.Module):
    """``x`` where ``x > threshold``, else 0, element by element.

    At a threshold of 0 this is ReLU, with a kink at 0. At any other threshold it has a jump of that height
    there. The gradient is 1 above the threshold and 0 elsewhere, at the threshold itself too. NaN is above no
    threshold, so it becomes 0, where ``torch.nn.ReLU`` would pass it on.

    Example:
        >>> ThresholdReLU(0.5)(torch.tensor([[-1.0, 0.3], [0.6, 1.2]]))
        tensor([[0.0000, 0.0000],
                [0.6000, 1.2000]])
    """

    __verifykit__: ClassVar[dict[str, Any]] = {"inputs": {"x": "float[N, D]"}}

    def __init__(self, threshold: float = 0.0) -> None:
        """Make the activation.

        Args:
            threshold: in the units of the input; any finite number.
        """
        super().__init__()
        self.threshold = threshold

    def forward(self, x: Tensor) -> Tensor:
        """Apply the activation.

        Args:
            x: of any shape and any real dtype.

        Returns:
            A tensor of the shape and dtype of ``x``.
        """
        return torch.where(x > self.threshold, x, torch.zeros_like(x))

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}"
