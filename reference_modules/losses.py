"""Two composite regression losses. Both broadcast silently, which is a defect: see each."""

from typing import Any, ClassVar

import torch.nn.functional as F
from torch import Tensor, nn


class CustomLoss(nn.Module):
    """Mean squared error plus a penalty on large predictions.

    ``mean((predictions - targets)**2) + 0.1 * mean(predictions**2)``: at least 0, in the squared units of the
    targets. The penalty pulls the best prediction for a target ``t`` down to ``t / 1.1``.

    Known defect, kept as an example: predictions of shape ``(N, 1)`` against targets of shape ``(N,)``
    broadcast to ``(N, N)``, without a word, and the loss compares every prediction with every target.

    Example:
        >>> import torch
        >>> CustomLoss()(torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [2.0]]))
        tensor(2.2500)
    """

    __verifykit__: ClassVar[dict[str, Any]] = {
        "inputs": {"predictions": "float[N, D]", "targets": "float[N, D]"},
    }

    def forward(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            predictions: of any shape, any real numbers, in the units of the targets.
            targets: of the shape of ``predictions``, any real numbers.

        Returns:
            A tensor of shape ``()``; NaN when there are no elements.

        Raises:
            RuntimeError: the shapes differ and do not broadcast.
        """
        squared_error = ((predictions - targets) ** 2).mean()
        penalty = (predictions**2).mean()
        return squared_error + 0.1 * penalty


class CombinedLoss(nn.Module):
    """Mean absolute error plus a cosine distance.

    ``mean(|predictions - targets|) + 1 - mean(cosine_similarity(predictions, targets, dim=0))``: an error of
    at least 0, in the units of the targets, plus a distance between 0 and 2, without a unit.

    The cosine is taken over dimension 0, that of the samples: each column of the batch is one vector, so the
    loss of a sample depends on the others in its batch. In a batch of one it says no more than whether the
    signs agree, and a column of zeros counts as a cosine of 0.

    Known defect, kept as an example: predictions of shape ``(N, 1)`` against targets of shape ``(N,)``
    broadcast to ``(N, N)``, without a word, in both terms.

    Example:
        >>> import torch
        >>> CombinedLoss()(torch.tensor([[3.0], [4.0]]), torch.tensor([[4.0], [3.0]]))
        tensor(1.0400)
    """

    __verifykit__: ClassVar[dict[str, Any]] = {
        "inputs": {"predictions": "float[N, D]", "targets": "float[N, D]"},
    }

    def forward(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            predictions: of shape ``(N, ...)``, any real numbers, in the units of the targets.
            targets: of the shape of ``predictions``, any real numbers.

        Returns:
            A tensor of shape ``()``; NaN when there are no elements.

        Raises:
            RuntimeError: the shapes differ and do not broadcast.
        """
        absolute_error = (predictions - targets).abs().mean()
        similarity = F.cosine_similarity(predictions, targets, dim=0).mean()
        return absolute_error + (1 - similarity)
