"""An ordinal loss counts classes between the most likely and the true one."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "loss-target-gradient"


class Wrong(nn.Module):
    """Ordinal loss: the distance from the true grade."""

    __verifykit__ = {"inputs": {"logits": "float[N, 5]", "labels": "long[N] in below 5"}}

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        grade = logits.argmax(-1).to(logits.dtype).requires_grad_()
        return (grade - labels).abs().mean()


class Right(Wrong):
    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        grade = (logits.softmax(-1) * torch.arange(5)).sum(-1)
        return (grade - labels).abs().mean()
