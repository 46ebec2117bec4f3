"""Alpha weighs the negatives, and its complement the positives."""

from torch import Tensor, nn
from torch.nn import functional as F

CAUGHT_BY = "claim"


class Wrong(nn.Module):
    """Focal loss."""

    __verifykit__ = {"inputs": {"logits": "float[N, 3]", "target": "float[N, 3] in {0, 1}"}}

    def __init__(self, alpha: float = 0.25, gamma: float = 2.0) -> None:
        super().__init__()
        self.alpha = alpha
        self.gamma = gamma

    def weight(self, target: Tensor) -> Tensor:
        return self.alpha * (1 - target) + (1 - self.alpha) * target

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
        p = logits.sigmoid()
        p_t = p * target + (1 - p) * (1 - target)
        return (self.weight(target) * (1 - p_t) ** self.gamma * entropy).mean()


class Right(Wrong):
    """Focal loss."""

    def weight(self, target: Tensor) -> Tensor:
        return self.alpha * target + (1 - self.alpha) * (1 - target)
