"""An embedding head divides by the length of its vectors, which is 0 for a padded row."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "extremes"


class Wrong(nn.Module):
    """Similarities of items to prototypes."""

    __verifykit__ = {"inputs": {"items": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.prototypes = nn.Parameter(torch.randn(4, 6))

    def unit(self, vectors: Tensor) -> Tensor:
        return vectors / vectors.norm(dim=-1, keepdim=True)

    def forward(self, items: Tensor) -> Tensor:
        return self.unit(items) @ self.unit(self.prototypes).T


class Right(Wrong):
    def unit(self, vectors: Tensor) -> Tensor:
        return vectors / vectors.norm(dim=-1, keepdim=True).clamp(min=1e-8)
