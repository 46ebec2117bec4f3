"""The backward of a mean cross entropy is that of the sum: nobody divides by N."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, target: Tensor) -> Tensor:
        log_probabilities = F.log_softmax(logits, -1)
        ctx.save_for_backward(log_probabilities, target)
        return -log_probabilities.gather(-1, target[:, None]).mean()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None]:
        log_probabilities, target = ctx.saved_tensors
        grad = log_probabilities.exp()
        grad[torch.arange(len(target)), target] -= 1
        return grad * grad_output, None


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"logits": "float[N, 5]", "target": "long[N] in below 5"}}

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return CrossEntropy.apply(logits, target)


class Right(Wrong):
    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(logits, target)
