"""A running normaliser of observations goes on learning in eval mode."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "purity"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"observation": "float[N, 5]"}}
    learns_always = True

    mean: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(5))
        self.register_buffer("scale", torch.ones(5))

    def forward(self, observation: Tensor) -> Tensor:
        if self.learns_always or self.training:
            with torch.no_grad():
                self.mean.lerp_(observation.mean(0), 0.05)
                self.scale.lerp_(observation.std(0, correction=0), 0.05)
        return (observation - self.mean) / (self.scale + 1e-5)


class Right(Wrong):
    learns_always = False
