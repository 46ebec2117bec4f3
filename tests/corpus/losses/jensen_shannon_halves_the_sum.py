"""A Jensen-Shannon divergence halves under 'mean' only."""

from torch import Tensor, nn

CAUGHT_BY = "loss-reduction"


class Wrong(nn.Module):
    """Jensen-Shannon divergence of two distributions."""

    __verifykit__ = {"inputs": {"p": "float[N, 5] in simplex", "target": "float[N, 5] in simplex"}}

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction

    def forward(self, p: Tensor, target: Tensor) -> Tensor:
        middle = (0.5 * (p + target)).log()
        both = p * (p.log() - middle) + target * (target.log() - middle)
        if self.reduction == "mean":
            return 0.5 * both.mean()
        return both.sum() if self.reduction == "sum" else both


class Right(Wrong):
    def forward(self, p: Tensor, target: Tensor) -> Tensor:
        middle = (0.5 * (p + target)).log()
        both = 0.5 * (p * (p.log() - middle) + target * (target.log() - middle))
        return both if self.reduction == "none" else getattr(both, self.reduction)()
