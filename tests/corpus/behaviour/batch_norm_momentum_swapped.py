"""A batch normalisation mixes old and new statistics the wrong way round and keeps the last batch alone."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "train-eval"


class Wrong(nn.Module):
    __verifykit__ = {"init": {"width": 5}, "inputs": {"x": "float[N, width]"}}

    mean: Tensor
    variance: Tensor

    def __init__(self, width: int, momentum: float = 0.1) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("variance", torch.ones(width))

    def update(self, running: Tensor, batch: Tensor) -> Tensor:
        return self.momentum * running + (1 - self.momentum) * batch.detach()

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return (x - self.mean) * torch.rsqrt(self.variance + 1e-5)
        mean, variance = x.mean(0), x.var(0, correction=0)
        self.mean = self.update(self.mean, mean)
        self.variance = self.update(self.variance, variance)
        return (x - mean) * torch.rsqrt(variance + 1e-5)


class Right(Wrong):
    def update(self, running: Tensor, batch: Tensor) -> Tensor:
        return (1 - self.momentum) * running + self.momentum * batch.detach()
