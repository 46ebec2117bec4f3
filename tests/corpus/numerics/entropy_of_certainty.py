"""The entropy of a distribution is NaN where a probability is 0, which the closed interval allows."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "extremes"


class Wrong(nn.Module):
    """Entropy of independent events, averaged."""

    __verifykit__ = {"inputs": {"p": "float[N, 5] in [0, 1]"}}

    def forward(self, p: Tensor) -> Tensor:
        return -(p * p.log() + (1 - p) * (1 - p).log()).mean(-1)


class Right(Wrong):
    def forward(self, p: Tensor) -> Tensor:
        return -(torch.xlogy(p, p.clamp(min=1e-12)) + torch.xlogy(1 - p, (1 - p).clamp(min=1e-12))).mean(-1)
