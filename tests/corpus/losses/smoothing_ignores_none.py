"""Label smoothing averages before the reduction is looked at, so 'none' is a number."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "loss-reduction"


class Wrong(nn.Module):
    """Cross entropy loss with smoothed labels."""

    __verifykit__ = {"inputs": {"logits": "float[N, 5]", "labels": "long[N] in below 5"}}

    def __init__(self, reduction: str = "mean", smoothing: float = 0.1) -> None:
        super().__init__()
        if reduction not in ("none", "mean", "sum"):
            raise ValueError(f"reduction {reduction!r} is not none, mean or sum")
        self.reduction, self.smoothing = reduction, smoothing

    def per_sample(self, logits: Tensor, labels: Tensor) -> Tensor:
        log_p = F.log_softmax(logits, -1)
        hit = -log_p.gather(-1, labels[:, None]).squeeze(-1)
        return (1 - self.smoothing) * hit - self.smoothing * log_p.mean(-1)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        loss = self.per_sample(logits, labels)
        return loss.sum() if self.reduction == "sum" else loss.mean()


class Right(Wrong):
    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        loss = self.per_sample(logits, labels)
        return loss if self.reduction == "none" else getattr(loss, self.reduction)()
