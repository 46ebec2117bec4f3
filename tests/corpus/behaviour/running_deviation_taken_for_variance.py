"""A channel normaliser keeps a running standard deviation and uses it as a variance in eval mode."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "train-eval"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"image": "float[N, 3, H, W]"}}
    exponent = 1

    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(3, 1, 1))
        self.conv = nn.Conv2d(3, 3, 3, padding=1, bias=False)
        self.register_buffer("spread", torch.ones(3, 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        hidden = 4 * self.conv(image)
        if self.training:
            deviation = hidden.std((0, 2, 3), correction=0)[:, None, None]
            self.spread.lerp_(deviation.detach() ** self.exponent, 0.05)
            return self.gain * hidden / (deviation + 1e-5)
        return self.gain * hidden * torch.rsqrt(self.spread + 1e-5)


class Right(Wrong):
    exponent = 2
