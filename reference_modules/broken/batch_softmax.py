"""A softmax over the wrong dimension."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class BatchSoftmax(nn.Module):
    """Class probabilities, normalised along the wrong dimension: `batch-independence` must fail.

    Shapes: ``x`` is ``(N, features)``, the output ``(N, classes)``.
    """

    __verifykit__: ClassVar[dict[str, Any]] = {
        "init": {"features": 6, "classes": 4},
        "inputs": {"x": "float[N, features]"},
    }

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        return torch.softmax(self.linear(x), dim=0)
