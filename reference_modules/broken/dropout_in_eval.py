"""The functional dropout, which knows nothing of the module's mode."""

from typing import Any, ClassVar

import torch.nn.functional as F
from torch import Tensor, nn


class DropoutInEval(nn.Module):
    """Drops in eval as in training, because ``training`` is not passed on: `determinism` fails.

    Shapes: ``x`` is ``(N, features)``, the output the same.
    """

    __verifykit__: ClassVar[dict[str, Any]] = {"init": {"features": 6}, "inputs": {"x": "float[N, features]"}}

    def __init__(self, features: int, p: float = 0.5) -> None:
        super().__init__()
        self.linear = nn.Linear(features, features)
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(self.linear(x), self.p)
