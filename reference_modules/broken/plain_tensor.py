"""A tensor that the module does not know it has."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class PlainTensor(nn.Module):
    """Keeps its offset as a plain attribute, neither parameter nor buffer: `registration` must fail.

    It is not saved in the state dict, and stays behind when the module moves to another device or dtype.

    Shapes: ``x`` is ``(N, features)``, the output the same.
    """

    __verifykit__: ClassVar[dict[str, Any]] = {"init": {"features": 5}, "inputs": {"x": "float[N, features]"}}

    def __init__(self, features: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, features)
        self.offset = torch.randn(features)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.linear(x) + self.offset
        return output
