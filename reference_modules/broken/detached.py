"""A detach that was meant for logging and stayed in the way of the gradient."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class DetachedScale(nn.Module):
    """Scales each feature, but detaches the scale: `graph-cut` fails on ``scale``, which the output needs.

    Shapes: ``x`` is ``(N, features)``, the output the same.
    """

    __verifykit__: ClassVar[dict[str, Any]] = {"init": {"features": 4}, "inputs": {"x": "float[N, features]"}}

    def __init__(self, features: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(features))

    def forward(self, x: Tensor) -> Tensor:
        scale = self.scale.detach().exp()
        return x * scale
