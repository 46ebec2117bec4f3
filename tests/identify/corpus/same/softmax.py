"""Softmax and its relatives, written again."""
# ruff: noqa: ANN001, ANN201, RUF012

import torch
from torch import Tensor, nn

from tests.identify.corpus.entries import Same


class NaiveSoftmax(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        e = torch.exp(x - x.max(dim=-1, keepdim=True).values)
        return e / e.sum(dim=-1, keepdim=True)


class LogProbabilities(nn.Module):
    def forward(self, scores):
        shifted = scores - scores.amax(-1, keepdim=True).detach()
        return shifted - shifted.exp().sum(-1, keepdim=True).log()


class Boltzmann(nn.Module):
    """Probabilities of states with these energies at temperature 1."""

    def forward(self, energy: Tensor) -> Tensor:
        weight = (-(energy - energy.min(-1, keepdim=True).values)).exp()
        return weight / weight.sum(-1, keepdim=True)


class ChannelSoftmax(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return (x - x.logsumexp(dim=1, keepdim=True)).exp()

    __verifykit__ = {"inputs": {"x": "float[N, 4, H, W]"}}


def log_sum_exp(x: Tensor) -> Tensor:
    """Stable log of the sum of exponentials over the last dimension."""
    m = x.amax(-1, keepdim=True)
    return (m + (x - m).exp().sum(-1, keepdim=True).log()).squeeze(-1)


EXPECTED = {
    "NaiveSoftmax": Same(("Softmax", "softmax")),
    "LogProbabilities": Same(("LogSoftmax", "log_softmax")),
    "Boltzmann": Same(("Softmin", "softmin")),
    "ChannelSoftmax": Same(("Softmax2d", "Softmax", "softmax")),
    "log_sum_exp": Same("logsumexp"),
}
