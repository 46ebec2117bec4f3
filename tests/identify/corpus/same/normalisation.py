"""Normalisations, written again."""
# ruff: noqa: ANN001, ANN201, ANN204, RUF012

import torch
from torch import Tensor, nn

from tests.identify.corpus.entries import Same


class ManualLayerNorm(nn.Module):
    def __init__(self, dim: int, eps: float = 1e-5):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))
        self.beta = nn.Parameter(torch.zeros(dim))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        mu = x.mean(-1, keepdim=True)
        var = ((x - mu) ** 2).mean(-1, keepdim=True)
        return self.gamma * (x - mu) / torch.sqrt(var + self.eps) + self.beta


class CenteredScaler(nn.Module):
    """Standardises the last dimension; no parameters, a larger epsilon."""

    def forward(self, x: Tensor) -> Tensor:
        centred = x - x.mean(dim=-1, keepdim=True)
        return centred * centred.square().mean(dim=-1, keepdim=True).add(1e-3).rsqrt()

    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}


class RootMeanSquare(nn.Module):
    def __init__(self, hidden_size, eps=1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden_size))
        self.variance_epsilon = eps

    def forward(self, hidden_states):
        variance = hidden_states.pow(2).mean(-1, keepdim=True)
        return self.weight * hidden_states * torch.rsqrt(variance + self.variance_epsilon)


class NormBasedRMS(nn.Module):
    """RMSNorm by the Euclidean norm, from d: x / sqrt(|x|^2 / d + eps)."""

    def __init__(self, d: int):
        super().__init__()
        self.g = nn.Parameter(torch.ones(d))

    def forward(self, x: Tensor) -> Tensor:
        d = x.shape[-1]
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        return x / (norm**2 / d + 1e-8) ** 0.5 * self.g


class MyBatchNorm1d(nn.Module):
    """Batch normalisation with running statistics of its own."""

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.scale = nn.Parameter(torch.ones(num_features))
        self.shift = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("moving_mean", torch.zeros(num_features))
        self.register_buffer("moving_var", torch.ones(num_features))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            mean, var = x.mean(0), x.var(0, unbiased=False)
            with torch.no_grad():
                self.moving_mean.lerp_(mean, self.momentum)
                self.moving_var.lerp_(x.var(0), self.momentum)
        else:
            mean, var = self.moving_mean, self.moving_var
        return (x - mean) / (var + self.eps).sqrt() * self.scale + self.shift

    __verifykit__ = {"init": {"num_features": 4}, "inputs": {"x": "float[N, 4]"}}


class SpatialBatchNorm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.register_buffer("mean", torch.zeros(1, channels, 1, 1))
        self.register_buffer("var", torch.ones(1, channels, 1, 1))

    def forward(self, x):
        if self.training:
            mean = x.mean((0, 2, 3), keepdim=True)
            var = ((x - mean) ** 2).mean((0, 2, 3), keepdim=True)
            n = x.numel() / x.shape[1]
            self.mean = 0.9 * self.mean + 0.1 * mean.detach()
            self.var = 0.9 * self.var + 0.1 * var.detach() * n / (n - 1)
        else:
            mean, var = self.mean, self.var
        return self.gamma * (x - mean) / torch.sqrt(var + 1e-5) + self.beta

    __verifykit__ = {"init": {"channels": 3}, "inputs": {"x": "float[N, 3, H, W]"}}


class ReshapeGroupNorm(nn.Module):
    def __init__(self, num_groups: int = 2, num_channels: int = 6, eps: float = 1e-5):
        super().__init__()
        self.num_groups, self.eps = num_groups, eps
        self.weight = nn.Parameter(torch.ones(num_channels))
        self.bias = nn.Parameter(torch.zeros(num_channels))

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        grouped = x.reshape(n, self.num_groups, -1)
        var, mean = torch.var_mean(grouped, dim=-1, correction=0, keepdim=True)
        grouped = (grouped - mean) / (var + self.eps).sqrt()
        return grouped.reshape(n, c, h, w) * self.weight[:, None, None] + self.bias[:, None, None]


class ContrastNorm(nn.Module):
    """Every channel of every image to mean 0 and variance 1, as for style transfer."""

    def forward(self, image: Tensor) -> Tensor:
        var, mean = torch.var_mean(image, dim=(2, 3), unbiased=False, keepdim=True)
        return (image - mean) / (var + 1e-5).sqrt()


class LearnedInstanceNorm1d(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.a = nn.Parameter(torch.ones(features, 1))
        self.b = nn.Parameter(torch.zeros(features, 1))

    def forward(self, seq):
        m = seq.mean(2, keepdim=True)
        v = (seq * seq).mean(2, keepdim=True) - m * m
        return (seq - m) * (v + 1e-5).rsqrt() * self.a + self.b

    __verifykit__ = {"init": {"features": 4}, "inputs": {"seq": "float[N, 4, L]"}}


class UnitLength(nn.Module):
    """Scales every row to length 1."""

    def forward(self, x: Tensor) -> Tensor:
        return x / x.pow(2).sum(-1, keepdim=True).sqrt().clamp(min=1e-12)


class CrossChannelResponse(nn.Module):
    """Local response normalisation over five neighbouring channels."""

    def __init__(self, size: int = 5, alpha: float = 1e-2, beta: float = 0.75, k: float = 1.0):
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        squares = x.square()
        half = self.size // 2
        sums = [squares[:, max(0, c - half) : c + half + 1].sum(1) for c in range(channels)]
        return x / (self.k + self.alpha / self.size * torch.stack(sums, 1)) ** self.beta

    __verifykit__ = {"inputs": {"x": "float[N, 7, H, W]"}}


LAYER_NORM = ("torch.nn.LayerNorm", "torch.nn.functional.layer_norm", "torch.layer_norm")
RMS_NORM = ("torch.nn.RMSNorm", "torch.nn.functional.rms_norm", "torch.rms_norm")

EXPECTED = {
    "ManualLayerNorm": Same(LAYER_NORM),
    "CenteredScaler": Same(LAYER_NORM, "", "eps=0.001"),
    "RootMeanSquare": Same(RMS_NORM),
    "NormBasedRMS": Same(RMS_NORM, "", "eps=1e-0?8"),
    "MyBatchNorm1d": Same("torch.nn.BatchNorm1d"),
    "SpatialBatchNorm": Same("torch.nn.BatchNorm2d", "|shape"),
    "ReshapeGroupNorm": Same(("torch.nn.GroupNorm", "torch.nn.functional.group_norm")),
    "ContrastNorm": Same(("torch.nn.InstanceNorm2d", "torch.nn.functional.instance_norm")),
    # A group for each channel is the same.
    "LearnedInstanceNorm1d": Same(("torch.nn.InstanceNorm1d", "torch.nn.GroupNorm"), "|shape"),
    "UnitLength": Same("torch.nn.functional.normalize"),
    "CrossChannelResponse": Same(("torch.nn.LocalResponseNorm", "torch.nn.functional.local_response_norm")),
}
