"""A mixture density sums probabilities and takes the logarithm: far from all centres it is the logarithm of 0."""

import math

import torch
from torch import Tensor, nn

CAUGHT_BY = "extremes"


class Wrong(nn.Module):
    """Negative log-likelihood under a mixture of unit Gaussians with learnt centres."""

    __verifykit__ = {"inputs": {"x": "float[N, 3]"}}

    def __init__(self) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.randn(5, 3))
        self.logits = nn.Parameter(torch.zeros(5))

    def log_likelihood(self, log_terms: Tensor) -> Tensor:
        return log_terms.exp().sum(-1).log()

    def forward(self, x: Tensor) -> Tensor:
        squares = (x[:, None] - self.centres).square().sum(-1)
        terms = self.logits.log_softmax(-1) - 0.5 * squares - 1.5 * math.log(2 * math.pi)
        return -self.log_likelihood(terms)


class Right(Wrong):
    def log_likelihood(self, log_terms: Tensor) -> Tensor:
        return log_terms.logsumexp(-1)
