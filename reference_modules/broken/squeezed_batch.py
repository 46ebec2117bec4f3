"""A squeeze that takes one dimension too many."""

from typing import Any, ClassVar

from torch import Tensor, nn


class SqueezedBatch(nn.Module):
    """One score per sample, but a batch of one loses its dimension: `batch-size-one` fails.

    Shapes: ``x`` is ``(N, features)``, the output ``(N,)``.
    """

    __verifykit__: ClassVar[dict[str, Any]] = {"init": {"features": 5}, "inputs": {"x": "float[N, features]"}}

    def __init__(self, features: int) -> None:
        super().__init__()
        self.score = nn.Linear(features, 1)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.score(x).squeeze()
        return scores
