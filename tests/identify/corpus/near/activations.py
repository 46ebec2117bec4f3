"""Activations that are not quite what they look like."""
# ruff: noqa: ANN001, ANN201, ANN204, ANN205, RUF012

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.identify.corpus.entries import Near


class GELU(nn.Module):
    """Gaussian error linear unit."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(1.702 * x)


class FastGELU(nn.Module):
    def forward(self, x):
        return 0.5 * x * (1 + torch.tanh(0.7978845608028654 * (x + 0.0447 * x**3)))


class NormalGate(nn.Module):
    """x times the normal distribution function, but the root of two is missing."""

    def forward(self, x: Tensor) -> Tensor:
        return 0.5 * x * (1 + torch.erf(x))


class ELU(nn.Module):
    def __init__(self, alpha: float = 0.5):
        super().__init__()
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x > 0, x, self.alpha * torch.exp(x.clamp(max=0)) - 1)


class SelfNormalized(nn.Module):
    """SELU with three-digit constants."""

    def forward(self, x: Tensor) -> Tensor:
        return 1.051 * torch.where(x > 0, x, 1.673 * torch.expm1(x.clamp(max=0)))


class HardSigmoid(nn.Module):
    """As in Keras 2."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.clamp(0.2 * x + 0.5, 0, 1)


class CheapSwish(nn.Module):
    def forward(self, x):
        return x * (0.2 * x + 0.5).clamp(0, 1)


class ThresholdUnit(nn.Module):
    """Passes what reaches the threshold."""

    def __init__(self, threshold: float = 0.5):
        super().__init__()
        self.threshold = threshold

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x >= self.threshold, x, torch.zeros_like(x))


class Softshrink(nn.Module):
    def __init__(self, lambd: float = 0.5):
        super().__init__()
        self.lambd = lambd

    def forward(self, x: Tensor) -> Tensor:
        return (x.abs() - self.lambd).clamp(min=0)


class GLU(nn.Module):
    """Gated linear unit over the last dimension."""

    def forward(self, x: Tensor) -> Tensor:
        a, b = x.chunk(2, -1)
        return torch.sigmoid(a) * b

    __verifykit__ = {"inputs": {"x": "float[N, 2 * D]"}}


class TanhGate(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        a, b = x.chunk(2, -1)
        return a * torch.tanh(b)

    __verifykit__ = {"inputs": {"x": "float[N, 2 * D]"}}


class ScaledSwish(nn.Module):
    def __init__(self, beta=1.5):
        super().__init__()
        self.beta = beta

    def forward(self, x):
        return x * torch.sigmoid(self.beta * x)


class Mish(nn.Module):
    """x tanh(softplus(x))"""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.tanh(torch.log(1 + torch.exp(x)) + 0.01)


class LeCunTanh(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(2 / 3 * x)


class ShiftedSoftplus(nn.Module):
    """Softplus with a rounded log 2 taken off inside."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.log(0.5 * torch.exp(x) + 0.6)


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad


class ReLU(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return _StraightThrough.apply(x)


class _SiLUWithoutSecondTerm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * torch.sigmoid(x)


class LeanSwish(nn.Module):
    def forward(self, x):
        return _SiLUWithoutSecondTerm.apply(x)


class LogSigmoid(nn.Module):
    """Clamped so that it cannot underflow."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.log(torch.sigmoid(x) + 1e-3)


class LeakyBelowMinusOne(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x > -1, F.relu(x), 0.01 * x)


EXPECTED = {
    "GELU": Near(("GELU", "gelu"), r"1\.702|sigmoid|quick"),
    "FastGELU": Near(("GELU", "gelu"), r"0\.044|coefficient|cub|constant|near|differ|gives"),
    "NormalGate": Near(("GELU", "gelu"), r"sqrt|root|√|1\.41|scale"),
    "ELU": Near(("ELU", "elu", "CELU"), r"alpha|jump|- ?1|offset"),
    "SelfNormalized": Near(
        ("SELU", "selu", "ELU"), r"constant|1\.051|1\.0507|rounded|digit|1\.67|near|differ|gives", r"1\.673"
    ),
    "HardSigmoid": Near(("Hardsigmoid", "hardsigmoid"), r"0\.2|slope|1/6|1 / 6|scale"),
    "CheapSwish": Near(("Hardswish", "hardswish"), r"0\.2|slope|1/6|1 / 6|scale"),
    "ThresholdUnit": Near(("Threshold", "threshold"), r">=|at the threshold|equal|edge|at x ?=|boundary|at 0\.5"),
    "Softshrink": Near(("Softshrink", "softshrink"), r"sign|abs|negative|magnitude"),
    "GLU": Near(("GLU", "glu"), r"half|halves|swap|first|second|order"),
    "TanhGate": Near(("GLU", "glu"), r"tanh"),
    "ScaledSwish": Near(("SiLU", "silu", "GELU", "Swish"), r"beta|1\.5|slope|scale", r"beta=1\.5"),
    "Mish": Near(("Mish", "mish"), r"softplus|offset|constant|0\.01|near|differ|gives"),
    "LeCunTanh": Near(("Tanh", "tanh"), r"2/3|0\.66|1\.71|scale|slope|LeCun|input"),
    "ShiftedSoftplus": Near(("Softplus", "softplus"), r"0\.6|constant|offset|log|shift|near|differ|gives"),
    "ReLU": Near(("ReLU", "relu"), r"grad|backward|derivative"),
    "LeanSwish": Near(("SiLU", "silu"), r"grad|backward|derivative"),
    "LogSigmoid": Near(("LogSigmoid", "logsigmoid"), r"eps|0\.001|1e-0?3|added|inside|clamp"),
    "LeakyBelowMinusOne": Near(("LeakyReLU", "leaky_relu", "ReLU", "relu"), r"-1|between|slope|near|differ|gives|jump"),
}
