"""Two composite regression losses. Both broadcast silently, which is a defect: see each."""

from typing import Any, ClassVar

import torch.nn.functional as F
from torch import Tensor, nn


class CustomLoss(nn.Module):
    """Mean squared error plus a penalty on large predictions.

    ``mean((predictions - targets)**2) + 0.1 * mean(predictions**2)``, in the squared units of the target.

    Known defect, kept as an example: predictions of shape ``(N, 1)`` against targets of shape ``(N,)`` broadcast to
    ``(N, N)``, without a word, and the loss compares every prediction with every target.
    """

    __verifykit__: ClassVar[dict[str, Any]] = {
        "inputs": {"predictions": "float[N, D]", "targets": "float[N, D]"},
    }

    def forward(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """Map ``predictions`` and ``targets`` of the same shape to a scalar of shape ``()``."""
        squared_error = ((predictions - targets) ** 2).mean()
        penalty = (predictions**2).mean()
        return squared_error + 0.1 * penalty


class CombinedLoss(nn.Module):
    """Mean absolute error plus a cosine distance.

    ``mean(|predictions - targets|) + 1 - mean(cosine_similarity(predictions, targets, dim=0))``.

    The cosine is taken over dimension 0, that of the samples: each column of the batch is one vector, so the loss of a
    sample depends on the others in its batch. Known defect, kept as an example: shapes ``(N, 1)`` and ``(N,)``
    broadcast silently to ``(N, N)``.
    """

    __verifykit__: ClassVar[dict[str, Any]] = {
        "inputs": {"predictions": "float[N, D]", "targets": "float[N, D]"},
    }

    def forward(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """Map ``predictions`` and ``targets`` of the same shape ``(N, ...)`` to a scalar of shape ``()``."""
        absolute_error = (predictions - targets).abs().mean()
        similarity = F.cosine_similarity(predictions, targets, dim=0).mean()
        return absolute_error + (1 - similarity)
