"""Activations, written again."""
# ruff: noqa: ANN001, ANN201, ANN204, RUF012

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.identify.corpus.entries import Same


class WhereReLU(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x > 0, x, torch.zeros_like(x))


class Rectifier(nn.Module):
    def forward(self, z):
        return (z + z.abs()) / 2


class ClampedUnit(nn.Module):
    """Clips below at 0 and above at 6."""

    def forward(self, x: Tensor) -> Tensor:
        return x.clamp(min=0).clamp(max=6)


class LeakyMax(nn.Module):
    def __init__(self, slope: float = 0.01):
        super().__init__()
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        return torch.maximum(x, self.slope * x)


class LearnedLeak(nn.Module):
    """PReLU with a slope for each channel."""

    def __init__(self, channels: int):
        super().__init__()
        self.a = nn.Parameter(torch.full((channels,), 0.25))

    def forward(self, x: Tensor) -> Tensor:
        return x.clamp(min=0) + self.a[:, None, None] * x.clamp(max=0)

    __verifykit__ = {"init": {"channels": 3}, "inputs": {"x": "float[N, 3, H, W]"}}


class ExponentialUnit(nn.Module):
    def __init__(self, alpha=1.0):
        super().__init__()
        self.alpha = alpha

    def forward(self, x):
        return torch.where(x > 0, x, self.alpha * torch.expm1(x.clamp(max=0)))


class SelfNormalising(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        alpha, scale = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
        return scale * (F.relu(x) + torch.minimum(torch.zeros_like(x), alpha * (torch.exp(x.clamp(max=0)) - 1)))


class ContinuousELU(nn.Module):
    def __init__(self, alpha: float = 2.0):
        super().__init__()
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        return x.relu() - (-self.alpha * torch.expm1(x / self.alpha)).relu()


class ErfGELU(nn.Module):
    """x times the normal distribution function."""

    def forward(self, x: Tensor) -> Tensor:
        return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))


class NewGELUActivation(nn.Module):
    """As in GPT-2 and BERT's repository."""

    def forward(self, input: Tensor) -> Tensor:
        inner = math.sqrt(2.0 / math.pi) * (input + 0.044715 * torch.pow(input, 3.0))
        return 0.5 * input * (1.0 + torch.tanh(inner))


class Swish(nn.Module):
    def forward(self, x):
        return x / (1 + torch.exp(-x))


class MyMish(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.tanh(torch.logaddexp(x, torch.zeros_like(x)))


class SmoothReLU(nn.Module):
    """log(1 + e^x), without overflow. torch goes over to x above 20."""

    def forward(self, x: Tensor) -> Tensor:
        return x.clamp(min=0) + torch.log1p(torch.exp(-x.abs()))


class BinaryLogSoftplus(nn.Module):
    """Softplus measured in bits."""

    def forward(self, x: Tensor) -> Tensor:
        return F.softplus(x) / math.log(2)


class HSwish(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * F.relu6(x + 3) / 6


class HSigmoid(nn.Module):
    def forward(self, x):
        return (x / 6 + 0.5).clamp(0, 1)


class ShrinkTowardsZero(nn.Module):
    """The proximal operator of lambda |x|."""

    def __init__(self, lambd: float = 0.5):
        super().__init__()
        self.lambd = lambd

    def forward(self, x: Tensor) -> Tensor:
        return x.sign() * (x.abs() - self.lambd).clamp(min=0)


class ZeroSmall(nn.Module):
    def __init__(self, cutoff: float = 0.5):
        super().__init__()
        self.cutoff = cutoff

    def forward(self, x: Tensor) -> Tensor:
        return x * (x.abs() > self.cutoff)


class Clip(nn.Module):
    def __init__(self, low: float = -1.0, high: float = 1.0):
        super().__init__()
        self.low, self.high = low, high

    def forward(self, x: Tensor) -> Tensor:
        return torch.min(torch.max(x, x.new_tensor(self.low)), x.new_tensor(self.high))


class StableLogSigmoid(nn.Module):
    def forward(self, logits: Tensor) -> Tensor:
        return torch.minimum(logits, torch.zeros_like(logits)) - torch.log1p(torch.exp(-logits.abs()))


class XMinusTanh(nn.Module):
    def forward(self, x):
        return x - x.tanh()


class RationalSign(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x / (1 + x.abs())


class Logistic(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 0.5 * (torch.tanh(0.5 * x) + 1)


class TanhBySigmoid(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * torch.sigmoid(2 * x) - 1


class GatedUnit(nn.Module):
    """Half of the features gate the other half."""

    def forward(self, x: Tensor) -> Tensor:
        value, gate = x.chunk(2, dim=-1)
        return value * gate.sigmoid()

    __verifykit__ = {"inputs": {"x": "float[N, 2 * D]"}}


class CutBelow(nn.Module):
    def __init__(self, threshold: float = 0.5, value: float = -2.0):
        super().__init__()
        self.threshold, self.value = threshold, value

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x > self.threshold, x, torch.full_like(x, self.value))


# What is identical but for a single point: another subgradient at a kink, nan taken for no number, inf / inf.
POINT = "|nan|zeros|subgradient|point"

EXPECTED = {
    "WhereReLU": Same(("ReLU", "relu"), POINT),
    "Rectifier": Same(("ReLU", "relu"), POINT),
    "ClampedUnit": Same(("ReLU6", "relu6", "Hardtanh", "hardtanh", "clamp"), POINT),
    "LeakyMax": Same(("LeakyReLU", "leaky_relu"), POINT),
    "LearnedLeak": Same(("PReLU", "prelu"), POINT),
    "ExponentialUnit": Same(("ELU", "elu", "CELU", "celu"), POINT),
    "SelfNormalising": Same(("SELU", "selu"), POINT),
    "ContinuousELU": Same(("CELU", "celu"), POINT),
    "ErfGELU": Same(("GELU", "gelu")),
    "NewGELUActivation": Same(("GELU", "gelu"), "", "tanh"),
    "Swish": Same(("SiLU", "silu"), POINT),
    "MyMish": Same(("Mish", "mish")),
    "SmoothReLU": Same(("Softplus", "softplus"), POINT),
    "BinaryLogSoftplus": Same(("Softplus", "softplus"), "factor|times"),
    "HSwish": Same(("Hardswish", "hardswish")),
    "HSigmoid": Same(("Hardsigmoid", "hardsigmoid"), POINT),
    "ShrinkTowardsZero": Same(("Softshrink", "softshrink"), POINT),
    "ZeroSmall": Same(("Hardshrink", "hardshrink"), POINT),
    "Clip": Same(("Hardtanh", "hardtanh", "clamp", "clip"), POINT),
    "StableLogSigmoid": Same(("LogSigmoid", "logsigmoid")),
    "XMinusTanh": Same(("Tanhshrink", "tanhshrink")),
    "RationalSign": Same(("Softsign", "softsign")),
    "Logistic": Same(("Sigmoid", "sigmoid", "expit")),
    "TanhBySigmoid": Same(("Tanh", "tanh")),
    "GatedUnit": Same(("GLU", "glu")),
    "CutBelow": Same(("Threshold", "threshold"), POINT),
}
