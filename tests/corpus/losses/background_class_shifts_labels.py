"""Labels are shifted by one for a background class that the logits do not have."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "loss-minimum"


class Wrong(nn.Module):
    """Cross entropy loss of a detector's boxes."""

    __verifykit__ = {"inputs": {"class_logits": "float[N, 6]", "labels": "long[N] in below 6"}}

    def forward(self, class_logits: Tensor, labels: Tensor) -> Tensor:
        log_p = F.log_softmax(class_logits, -1)
        return -log_p.gather(-1, ((labels + 1) % class_logits.shape[-1])[:, None]).mean()


class Right(Wrong):
    def forward(self, class_logits: Tensor, labels: Tensor) -> Tensor:
        return -F.log_softmax(class_logits, -1).gather(-1, labels[:, None]).mean()
