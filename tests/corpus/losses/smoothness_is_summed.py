"""A mean data term has a total variation added that is summed over the batch."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "loss-batch-scale"


class Wrong(nn.Module):
    """Depth loss with an edge term."""

    __verifykit__ = {"inputs": {"depth": "float[N, H, W]", "target": "float[N, H, W]"}}

    def forward(self, depth: Tensor, target: Tensor) -> Tensor:
        roughness = depth.diff(dim=-1).abs().sum() + depth.diff(dim=-2).abs().sum()
        return F.l1_loss(depth, target) + 1e-3 * roughness


class Right(Wrong):
    def forward(self, depth: Tensor, target: Tensor) -> Tensor:
        roughness = depth.diff(dim=-1).abs().mean() + depth.diff(dim=-2).abs().mean()
        return F.l1_loss(depth, target) + 1e-3 * roughness
