"""A Gaussian likelihood multiplies the prediction with its deviation, not the error."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "loss-minimum"


class Wrong(nn.Module):
    """Heteroscedastic Gaussian negative log-likelihood loss."""

    __verifykit__ = {"inputs": {"mean": "float[N, 2]", "target": "float[N, 2]", "log_var": "float[N, 2]"}}

    def forward(self, mean: Tensor, target: Tensor, log_var: Tensor) -> Tensor:
        return 0.5 * ((2 * mean - target) ** 2 * torch.exp(-log_var) + log_var).mean()


class Right(Wrong):
    def forward(self, mean: Tensor, target: Tensor, log_var: Tensor) -> Tensor:
        return 0.5 * ((mean - target) ** 2 * torch.exp(-log_var) + log_var).mean()
