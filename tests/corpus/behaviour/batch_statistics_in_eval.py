"""A hand-written batch normalisation uses the statistics of the batch in eval mode too."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "batch-independence"


class Wrong(nn.Module):
    __verifykit__ = {"init": {"channels": 4}, "inputs": {"x": "float[N, 4, L]"}}

    mean: Tensor
    var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("var", torch.ones(channels))
        self.gain = nn.Parameter(torch.ones(channels))

    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, var = x.mean(dim=(0, 2)), x.var(dim=(0, 2), unbiased=False)
        if self.training:
            self.mean.lerp_(mean.detach(), 0.1)
            self.var.lerp_(var.detach(), 0.1)
        return mean, var

    def forward(self, x: Tensor) -> Tensor:
        mean, var = self.statistics(x)
        return self.gain[:, None] * (x - mean[:, None]) / (var[:, None] + 1e-5).sqrt()


class Right(Wrong):
    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return super().statistics(x) if self.training else (self.mean, self.var)
