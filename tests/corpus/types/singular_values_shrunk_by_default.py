"""Singular values are shrunk by weights of the default type, and meet singular vectors of the input's in a product."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "default-dtype"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 7, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(4, 3)

    def shrink(self, values: Tensor) -> Tensor:
        return values * torch.linspace(1, 0.5, values.shape[-1], device=values.device)

    def forward(self, x: Tensor) -> Tensor:
        left, values, right = torch.linalg.svd(x, full_matrices=False)
        return self.project((left * self.shrink(values).unsqueeze(-2)) @ right)


class Right(Wrong):
    def shrink(self, values: Tensor) -> Tensor:
        return values * torch.linspace(1, 0.5, values.shape[-1], device=values.device, dtype=values.dtype)
