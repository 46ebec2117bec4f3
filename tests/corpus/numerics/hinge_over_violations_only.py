"""A margin loss adds up the violated margins only; a NaN score violates nothing, so the loss is 0."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "nan-propagation"


class Wrong(nn.Module):
    """Ranking loss over pairs of scores."""

    __verifykit__ = {"inputs": {"better": "float[N]", "worse": "float[N]"}}

    def forward(self, better: Tensor, worse: Tensor) -> Tensor:
        violation = 1.0 - (better - worse)
        return violation[violation > 0].sum() / violation.numel()


class Right(Wrong):
    def forward(self, better: Tensor, worse: Tensor) -> Tensor:
        return torch.relu(1.0 - (better - worse)).mean()
