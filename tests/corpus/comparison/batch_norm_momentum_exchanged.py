"""The running statistics keep a tenth of what they were at each step: momentum is taken the other way round."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "claim"


class Wrong(nn.Module):
    """Batch normalisation of features."""

    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self, num_features: int = 6, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.eps = eps
        self.momentum = momentum

    def follow(self, running: Tensor, new: Tensor) -> None:
        running.copy_(self.momentum * running + (1 - self.momentum) * new)

    def forward(self, x: Tensor) -> Tensor:
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean, var = x.mean(0), x.var(0, unbiased=False)
            self.follow(self.running_mean, mean.detach())
            self.follow(self.running_var, x.detach().var(0))
        return self.weight * (x - mean) / (var + self.eps).sqrt() + self.bias


class Right(Wrong):
    """Batch normalisation of features."""

    def follow(self, running: Tensor, new: Tensor) -> None:
        running.copy_((1 - self.momentum) * running + self.momentum * new)
