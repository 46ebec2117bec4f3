"""Normalisations with a statistic, an epsilon or a dimension of another kind."""
# ruff: noqa: ANN001, ANN201, ANN204, RUF012

import torch
from torch import Tensor, nn

from tests.identify.corpus.entries import Near


class LayerNorm(nn.Module):
    """As in the Annotated Transformer."""

    def __init__(self, features: int, eps: float = 1e-6):
        super().__init__()
        self.a_2 = nn.Parameter(torch.ones(features))
        self.b_2 = nn.Parameter(torch.zeros(features))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(-1, keepdim=True)
        std = x.std(-1, keepdim=True)
        return self.a_2 * (x - mean) / (std + self.eps) + self.b_2


class FeatureScaler(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        var, mean = torch.var_mean(x, dim=-1, keepdim=True)
        return (x - mean) / torch.sqrt(var + 1e-5) * self.weight + self.bias


class LayerNormalization(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-5):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(d_model))
        self.beta = nn.Parameter(torch.zeros(d_model))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        std = x.var(-1, keepdim=True, unbiased=False).sqrt()
        return self.gamma * (x - x.mean(-1, keepdim=True)) / (std + self.eps) + self.beta


class Recentred(nn.Module):
    """Divides by the mean absolute deviation."""

    def __init__(self, size: int):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(size))
        self.offset = nn.Parameter(torch.zeros(size))

    def forward(self, x: Tensor) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        return centred / (centred.abs().mean(-1, keepdim=True) + 1e-5) * self.gain + self.offset


class RMSNorm(nn.Module):
    """Root mean square normalisation."""

    def __init__(self, dim: int, eps: float = 1e-6):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(dim))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return x / (x.pow(2).mean(-1, keepdim=True).sqrt() + self.eps) * self.scale


class BiasedRMS(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.g = nn.Parameter(torch.ones(dim))
        self.b = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        return x * (x.square().mean(-1, keepdim=True) + 1e-6).rsqrt() * self.g + self.b


class RMSNormalization(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.g = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        d = x.shape[-1]
        return x / torch.sqrt(x.square().sum(-1, keepdim=True) / (d - 1) + 1e-6) * self.g


class BatchNorm1d(nn.Module):
    """The momentum is that of Keras: the weight of what was."""

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))

    def forward(self, x: Tensor) -> Tensor:
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean, var = x.mean(0), x.var(0, unbiased=False)
            self.running_mean = self.momentum * self.running_mean + (1 - self.momentum) * mean.detach()
            self.running_var = self.momentum * self.running_var + (1 - self.momentum) * x.var(0).detach()
        return (x - mean) / torch.sqrt(var + self.eps) * self.weight + self.bias

    __verifykit__ = {"init": {"num_features": 4}, "inputs": {"x": "float[N, 4]"}}


class Standardiser(nn.Module):
    """Keeps the biased variance as its running variance."""

    def __init__(self, features: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features))
        self.register_buffer("running_mean", torch.zeros(features))
        self.register_buffer("running_var", torch.ones(features))

    def forward(self, x: Tensor) -> Tensor:
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean, var = x.mean(0), x.var(0, unbiased=False)
            with torch.no_grad():
                self.running_mean.mul_(0.9).add_(0.1 * mean)
                self.running_var.mul_(0.9).add_(0.1 * var)
        return (x - mean) * (var + 1e-5).rsqrt() * self.weight + self.bias

    __verifykit__ = {"init": {"features": 4}, "inputs": {"x": "float[N, 4]"}}


class BatchNorm2d(nn.Module):
    """Normalises by the unbiased variance in training as well."""

    def __init__(self, num_features: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))

    def forward(self, x: Tensor) -> Tensor:
        mean, var = self.running_mean, self.running_var
        if self.training:
            var, mean = torch.var_mean(x, dim=(0, 2, 3))
            self.running_mean.lerp_(mean.detach(), 0.1)
            self.running_var.lerp_(var.detach(), 0.1)
        shape = (1, -1, 1, 1)
        scaled = (x - mean.view(shape)) / (var.view(shape) + 1e-5).sqrt()
        return scaled * self.weight.view(shape) + self.bias.view(shape)

    __verifykit__ = {"init": {"num_features": 3}, "inputs": {"x": "float[N, 3, H, W]"}}


class GroupNorm(nn.Module):
    def __init__(self, num_groups: int = 2, num_channels: int = 6):
        super().__init__()
        self.num_groups = num_groups
        self.weight = nn.Parameter(torch.ones(1, num_channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(1, num_channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        x = x.view(n, self.num_groups, -1)
        x = (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True) + 1e-5).sqrt()
        return x.view(n, c, h, w) * self.weight + self.bias

    __verifykit__ = {"inputs": {"x": "float[N, 6, H, W]"}}


class StripedNorm(nn.Module):
    """Group normalisation whose groups take every second channel."""

    def __init__(self, groups: int = 2, channels: int = 6):
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        g = x.view(n, c // self.groups, self.groups, h, w)
        var, mean = torch.var_mean(g, dim=(1, 3, 4), correction=0, keepdim=True)
        g = ((g - mean) * (var + 1e-5).rsqrt()).view(n, c, h, w)
        return g * self.weight[:, None, None] + self.bias[:, None, None]

    __verifykit__ = {"inputs": {"x": "float[N, 6, H, W]"}}


class InstanceNorm2d(nn.Module):
    """y = (x - mean) / (std + eps), the statistics of each channel of each sample."""

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((2, 3), keepdim=True)
        std = x.std((2, 3), keepdim=True)
        return (x - mean) / (std + 1e-5)

    __verifykit__ = {"inputs": {"x": "float[N, C, H, W]"}}


class L2Normalize(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x / (x.norm(dim=-1, keepdim=True) + 1e-6)


def to_sphere(v: Tensor) -> Tensor:
    return v / torch.sqrt(v.square().sum(-1, keepdim=True) + 1e-6)


UNBIASED = r"unbiased|n ?[^a-z] ?1|Bessel|correction"
OUTSIDE = r"eps.*(outside|added|root|deviation|std)|outside"
LAYER = ("LayerNorm", "layer_norm")
BATCH = ("BatchNorm1d", "BatchNorm2d", "batch_norm", "BatchNorm")

EXPECTED = {
    "LayerNorm": Near(LAYER, f"({UNBIASED}|{OUTSIDE})"),
    "FeatureScaler": Near(LAYER, UNBIASED),
    "LayerNormalization": Near(LAYER, OUTSIDE),
    "Recentred": Near(LAYER, r"absolute|deviation|variance|L1"),
    "RMSNorm": Near(("RMSNorm", "rms_norm"), OUTSIDE),
    "BiasedRMS": Near(("RMSNorm", "rms_norm", "LayerNorm"), r"bias|offset|added|mean is"),
    "RMSNormalization": Near(("RMSNorm", "rms_norm"), f"{UNBIASED}|divided|factor"),
    "BatchNorm1d": Near(BATCH, r"momentum", r"momentum=0\.9"),
    "Standardiser": Near(BATCH, r"running|biased"),
    "BatchNorm2d": Near(BATCH, UNBIASED),
    "GroupNorm": Near(("GroupNorm", "group_norm"), UNBIASED),
    "StripedNorm": Near(("GroupNorm", "group_norm"), r"group|interleav|stride|order|every|channel"),
    "InstanceNorm2d": Near(("InstanceNorm2d", "instance_norm"), f"({UNBIASED}|{OUTSIDE})"),
    "L2Normalize": Near("normalize", r"eps|added|1e-0?6|clamp|max"),
    "to_sphere": Near("normalize", r"eps|added|1e-0?6|inside|root"),
}
