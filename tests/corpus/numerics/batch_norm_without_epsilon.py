"""A hand-written batch normalisation leaves out epsilon; in training a constant feature divides 0 by 0."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "extremes"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 4]"}}

    epsilon = 0.0
    mean: Tensor
    variance: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(4)), nn.Parameter(torch.zeros(4))
        self.register_buffer("mean", torch.zeros(4))
        self.register_buffer("variance", torch.ones(4))

    def forward(self, x: Tensor) -> Tensor:
        mean, variance = self.mean, self.variance
        if self.training:
            mean, variance = x.mean(0), x.var(0, unbiased=False)
            self.mean.lerp_(mean.detach(), 0.1)
            self.variance.lerp_(variance.detach(), 0.1)
        return (x - mean) / (variance + self.epsilon).sqrt() * self.weight + self.bias


class Right(Wrong):
    epsilon = 1e-5
