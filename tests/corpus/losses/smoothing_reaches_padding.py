"""Label smoothing adds its uniform part for padding tokens as well."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "loss-ignore"


class Wrong(nn.Module):
    """Cross entropy loss of a translation model, with smoothed labels."""

    __verifykit__ = {
        "inputs": {"logits": "float[N, L, V]", "target": "long[N, L] in below V"},
        "init": {"ignore_index": 0},
    }

    def __init__(self, ignore_index: int = 0, smoothing: float = 0.1) -> None:
        super().__init__()
        self.ignore_index, self.smoothing = ignore_index, smoothing

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        log_p = F.log_softmax(logits, -1)
        kept = target != self.ignore_index
        hit = -log_p.gather(-1, target.clamp(min=0)[..., None]).squeeze(-1) * kept
        return ((1 - self.smoothing) * hit - self.smoothing * log_p.mean(-1)).sum() / kept.sum()


class Right(Wrong):
    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        log_p = F.log_softmax(logits, -1)
        kept = target != self.ignore_index
        hit = -log_p.gather(-1, target.clamp(min=0)[..., None]).squeeze(-1)
        loss = (1 - self.smoothing) * hit - self.smoothing * log_p.mean(-1)
        return (loss * kept).sum() / kept.sum()
