"""Any reduction that is not 'mean' or 'none' is a sum, a misspelt one too."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "loss-reduction"


class Wrong(nn.Module):
    """Log-cosh loss."""

    __verifykit__ = {"inputs": {"prediction": "float[N, 3]", "target": "float[N, 3]"}}

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        error = prediction - target
        loss = error + F.softplus(-2 * error) - torch.log(torch.tensor(2.0))
        if self.reduction == "none":
            return loss
        return loss.mean() if self.reduction == "mean" else loss.sum()


class Right(Wrong):
    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction)
        if reduction not in ("none", "mean", "sum"):
            raise ValueError(f"no such reduction: {reduction!r}")
