"""A logarithm of a probability that reaches zero."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class UnclampedLogLoss(nn.Module):
    """Binary cross entropy, infinite or NaN for a probability of exactly 0 or 1: `extremes` must fail.

    Shapes: ``probabilities`` and ``targets`` are ``(N,)``, the loss is a scalar.
    """

    __verifykit__: ClassVar[dict[str, Any]] = {
        "inputs": {"probabilities": "float[N] in [0, 1]", "targets": "float[N] in [0, 1]"},
    }

    def forward(self, probabilities: Tensor, targets: Tensor) -> Tensor:
        positive = targets * torch.log(probabilities)
        negative = (1 - targets) * torch.log(1 - probabilities)
        return -(positive + negative).mean()
