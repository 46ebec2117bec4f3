"""Advantages are divided by their standard deviation over the batch, which is NaN for one sample."""

from torch import Tensor, nn

CAUGHT_BY = "batch-size-one"


class Wrong(nn.Module):
    """Policy-gradient loss with normalised advantages."""

    __verifykit__ = {"inputs": {"log_probability": "float[N] in (-5, 0)", "advantage": "float[N]"}}
    unbiased = True

    def forward(self, log_probability: Tensor, advantage: Tensor) -> Tensor:
        centred = advantage - advantage.mean()
        normal = centred / (advantage.std(unbiased=self.unbiased) + 1e-8)
        return -(log_probability * normal).mean()


class Right(Wrong):
    unbiased = False
