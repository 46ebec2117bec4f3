"""A loss balancer keeps its running scale as a Python number, which no checkpoint has."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "state-dict"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"prediction": "float[N, 3]", "target": "float[N, 3]"}}

    def __init__(self) -> None:
        super().__init__()
        self.log_variance = nn.Parameter(torch.zeros(3))
        self.prepare()

    def prepare(self) -> None:
        self.scale = 1.0

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        error = (prediction - target).square().mean(0)
        if self.training:
            self.update(error.mean().item())
        return (error / self.scale * (-self.log_variance).exp() + self.log_variance).sum()

    def update(self, value: float) -> None:
        self.scale = 0.9 * self.scale + 0.1 * value


class Right(Wrong):
    def prepare(self) -> None:
        self.register_buffer("scale", torch.ones(()))

    def update(self, value: float) -> None:
        self.scale.mul_(0.9).add_(0.1 * value)
