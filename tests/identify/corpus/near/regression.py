"""Losses of real values, almost."""
# ruff: noqa: ANN001, ANN201, ANN204, RUF012

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.identify.corpus.entries import Near


class MSELoss(nn.Module):
    """Mean squared error."""

    def forward(self, pred: Tensor, target: Tensor) -> Tensor:
        return ((pred - target) ** 2).sum(-1).mean()

    __verifykit__ = {"inputs": {"pred": "float[N, D]", "target": "float[N, D]"}}


class RootError(nn.Module):
    """Root of the mean squared error, with 1e-8 so that it has a gradient at 0."""

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return torch.sqrt(F.mse_loss(prediction, target) + 1e-8)


class SquaredLogError(nn.Module):
    def forward(self, pred, target):
        return F.mse_loss(torch.log1p(pred), torch.log1p(target))

    __verifykit__ = {"inputs": {"pred": "float[N, D] in (0, 5)", "target": "float[N, D] in (0, 5)"}}


class HuberLoss(nn.Module):
    def __init__(self, delta: float = 0.5):
        super().__init__()
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        err = (input - target).abs()
        return torch.where(err <= self.delta, 0.5 * err**2, err - 0.5 * self.delta).mean()


class Robust(nn.Module):
    """Quadratic near 0, linear beyond."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        d = (x - y).abs()
        return torch.where(d < 1, d**2, d - 0.5).mean()


class SmoothL1Loss(nn.Module):
    """The transition to the linear part is at beta."""

    def __init__(self, beta: float = 0.5):
        super().__init__()
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        n = (input - target).abs()
        return torch.where(n < self.beta, 0.5 * n**2 / self.beta, n - self.beta).mean()


class PseudoHuber(nn.Module):
    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        return (torch.sqrt(1 + (estimate - target) ** 2) - 1).mean()


class LogCosh(nn.Module):
    def forward(self, y_pred, y_true):
        d = y_pred - y_true
        return torch.log(torch.cosh(d + 1e-2)).mean()


class GaussianNLLLoss(nn.Module):
    """Negative log-likelihood of a normal distribution."""

    def forward(self, input: Tensor, target: Tensor, var: Tensor) -> Tensor:
        return (torch.log(var) + 0.5 * (input - target) ** 2 / var).mean()

    __verifykit__ = {
        "inputs": {"input": "float[N, D]", "target": "float[N, D]", "var": "float[N, D] in (0.1, 3)"},
    }


class NormalLikelihood(nn.Module):
    """Takes the standard deviation where torch takes the variance."""

    def forward(self, mean: Tensor, target: Tensor, sigma: Tensor) -> Tensor:
        return (0.5 * (torch.log(sigma) + (mean - target) ** 2 / sigma**2)).mean()

    __verifykit__ = {
        "inputs": {"mean": "float[N, D]", "target": "float[N, D]", "sigma": "float[N, D] in (0.1, 3)"},
    }


class PoissonNLLLoss(nn.Module):
    """The rate as such, not as a logarithm."""

    def forward(self, rate: Tensor, target: Tensor) -> Tensor:
        return (rate - target * torch.log2(rate + 1e-8)).mean()

    __verifykit__ = {"inputs": {"rate": "float[N] in (0, 5)", "target": "float[N] in (0, 5)"}}


class TotalOverBatch(nn.Module):
    """Absolute error, summed over all, by the size of the batch."""

    def forward(self, pred: Tensor, target: Tensor) -> Tensor:
        return (pred - target).abs().sum() / pred.shape[0]

    __verifykit__ = {"inputs": {"pred": "float[N, D]", "target": "float[N, D]"}}


HUBER = ("HuberLoss", "huber_loss", "SmoothL1Loss", "smooth_l1_loss")
REDUCTION = r"sum|mean|reduc|batch"

EXPECTED = {
    "MSELoss": Near(("MSELoss", "mse_loss"), REDUCTION),
    "RootError": Near(("MSELoss", "mse_loss", "RMSELoss", "RMSE"), r"root|sqrt|eps"),
    "SquaredLogError": Near(("MSELoss", "mse_loss", "MSLELoss", "MSLE"), r"log"),
    "HuberLoss": Near(HUBER, r"delta|beta|scal|factor|linear"),
    "Robust": Near(HUBER, r"0\.5|half|1/2|factor|quadratic|jump"),
    "SmoothL1Loss": Near(HUBER, r"0\.5|half|beta|linear|jump|offset"),
    "PseudoHuber": Near((*HUBER, "PseudoHuberLoss"), r"pseudo|sqrt|root|smooth|near|differ|gives"),
    "LogCosh": Near((*HUBER, "LogCoshLoss", "MSELoss"), r"cosh|shift|offset|0\.01|near|differ|gives"),
    "GaussianNLLLoss": Near(("GaussianNLLLoss", "gaussian_nll_loss"), r"log|half|0\.5|1/2"),
    "NormalLikelihood": Near(("GaussianNLLLoss", "gaussian_nll_loss"), r"std|deviation|variance|squar|log"),
    "PoissonNLLLoss": Near(("PoissonNLLLoss", "poisson_nll_loss"), r"log|base"),
    "TotalOverBatch": Near(("L1Loss", "l1_loss"), REDUCTION),
}
