"""Losses of real values, written again."""
# ruff: noqa: ANN001, ANN201, ANN204, RUF012

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.identify.corpus.entries import Same


class QuadraticLoss(nn.Module):
    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return ((prediction - target) ** 2).mean()


class SumOfSquares(nn.Module):
    """Sum of squared errors, without the mean."""

    def forward(self, pred, target):
        d = pred - target
        return (d * d).sum()


class HalfMSE(nn.Module):
    """Half the mean squared error, so that its gradient has no 2."""

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return 0.5 * torch.mean(torch.square(output - target))


class MAE(nn.Module):
    def forward(self, y_pred, y_true):
        return torch.mean(torch.abs(y_true - y_pred))


class SmoothAbsolute(nn.Module):
    def __init__(self, beta: float = 1.0):
        super().__init__()
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        n = (input - target).abs()
        return torch.where(n < self.beta, 0.5 * n**2 / self.beta, n - 0.5 * self.beta).mean()


class RobustLoss(nn.Module):
    """Huber's function of the error, with its corner at delta."""

    def __init__(self, delta: float = 0.7):
        super().__init__()
        self.delta = delta

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        error = (estimate - target).abs()
        quadratic = error.clamp(max=self.delta)
        return (0.5 * quadratic.square() + self.delta * (error - quadratic)).mean()


class PoissonDeviance(nn.Module):
    def forward(self, log_rate: Tensor, count: Tensor) -> Tensor:
        return (log_rate.exp() - count * log_rate).mean()


class HeteroscedasticLoss(nn.Module):
    """Negative log-likelihood of a normal distribution, without its constant."""

    def forward(self, mean: Tensor, target: Tensor, var: Tensor) -> Tensor:
        v = var.clamp(min=1e-6)
        return (0.5 * (v.log() + (mean - target) ** 2 / v)).mean()

    __verifykit__ = {"inputs": {"mean": "float[N, D]", "target": "float[N, D]", "var": "float[N, D] in (0, 3)"}}


class ExpandedSquare(nn.Module):
    """Elementwise squared error, unreduced."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return a**2 - 2 * a * b + b**2


def piecewise_huber(pred: Tensor, target: Tensor, delta: float = 1.0) -> Tensor:
    """Huber loss with branches."""
    err = target - pred
    small = err.abs() <= delta
    return torch.where(small, err.pow(2) / 2, delta * err.abs() - delta**2 / 2).mean()


class NormSquaredLoss(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return torch.linalg.vector_norm(x - y) ** 2 / x.numel()


class CrossEntropyInBits(nn.Module):
    """Binary cross-entropy in bits."""

    def forward(self, p: Tensor, y: Tensor) -> Tensor:
        return F.binary_cross_entropy(p, y) / math.log(2)


MSE = ("MSELoss", "mse_loss")
HUBER = ("HuberLoss", "huber_loss")

EXPECTED = {
    "QuadraticLoss": Same(MSE),
    "SumOfSquares": Same(MSE, "", "sum"),
    "HalfMSE": Same(MSE, "factor|times"),
    "MAE": Same(("L1Loss", "l1_loss")),
    "SmoothAbsolute": Same(("SmoothL1Loss", "smooth_l1_loss", *HUBER)),
    "RobustLoss": Same(HUBER, "", r"0\.7"),
    "PoissonDeviance": Same(("PoissonNLLLoss", "poisson_nll_loss")),
    "HeteroscedasticLoss": Same(("GaussianNLLLoss", "gaussian_nll_loss")),
    "ExpandedSquare": Same(MSE, "", "none"),
    "piecewise_huber": Same(("SmoothL1Loss", "smooth_l1_loss", *HUBER)),
    "NormSquaredLoss": Same(MSE),
    "CrossEntropyInBits": Same(("BCELoss", "binary_cross_entropy"), "factor|times"),
}
