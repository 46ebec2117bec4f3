"""The angle between two directions is the arc cosine of a number that is nearly one."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "accuracy"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 3]", "y": "float[N, 3]"}}

    def angle(self, u: Tensor, v: Tensor) -> Tensor:
        return torch.acos((u * v).sum(-1).clamp(-1 + 1e-7, 1 - 1e-7))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        u, v = (z / torch.linalg.vector_norm(z, dim=-1, keepdim=True).clamp_min(1e-6) for z in (x, y))
        return self.angle(u, v)


class Right(Wrong):
    def angle(self, u: Tensor, v: Tensor) -> Tensor:
        return 2 * torch.atan2(torch.linalg.vector_norm(u - v, dim=-1), torch.linalg.vector_norm(u + v, dim=-1))
