"""Convolutions, pooling, padding and resampling that are off by a flip, a shift or a count."""
# ruff: noqa: ANN001, ANN201, ANN204, RUF012

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.identify.corpus.entries import Near


class Conv1d(nn.Module):
    """One-dimensional convolution."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        windows = x.unfold(2, self.weight.shape[2], 1)
        return torch.einsum("nclk,ock->nol", windows, self.weight.flip(2)) + self.bias[:, None]


class TrueConvolution2d(nn.Module):
    """Convolution in the sense of mathematics."""

    def __init__(self, in_channels, out_channels, kernel_size=3):
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(out_channels, in_channels, kernel_size, kernel_size))

    def forward(self, x):
        return F.conv2d(x, self.kernel.flip(-2, -1), padding=1)


class CausalFilter(nn.Module):
    def __init__(self, channels_in: int = 2, channels_out: int = 3, width: int = 3):
        super().__init__()
        self.width = width
        self.weight = nn.Parameter(torch.randn(channels_out, channels_in, width))
        self.bias = nn.Parameter(torch.zeros(channels_out))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv1d(F.pad(x, (self.width - 1, 0)), self.weight, self.bias)

    __verifykit__ = {"inputs": {"x": "float[N, 2, L]"}}


class SameConv1d(nn.Module):
    """Keeps the length; where the kernel is even, the odd sample of padding is on the left."""

    def __init__(self, in_channels: int = 2, out_channels: int = 3, kernel_size: int = 4):
        super().__init__()
        self.kernel_size = kernel_size
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel_size))
        self.bias = nn.Parameter(torch.randn(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        total = self.kernel_size - 1
        return F.conv1d(F.pad(x, (total - total // 2, total // 2)), self.weight, self.bias)

    __verifykit__ = {"inputs": {"x": "float[N, 2, L]"}}


class SamePaddedStride(nn.Module):
    """TensorFlow's SAME with stride 2: the padding is at the end alone."""

    def __init__(self, c_in: int = 2, c_out: int = 3):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(c_out, c_in, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(F.pad(x, (0, 1, 0, 1)), self.weight, stride=2)

    __verifykit__ = {"inputs": {"x": "float[N, 2, 2 * H, 2 * W]"}}


class ConvTranspose1d(nn.Module):
    """Doubles the length. What is too much is cut at the end."""

    def __init__(self, in_channels: int = 2, out_channels: int = 3):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(in_channels, out_channels, 4))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv_transpose1d(x, self.weight, stride=2)[..., :-2]

    __verifykit__ = {"inputs": {"x": "float[N, 2, L]"}}


class DepthwiseRenormed(nn.Module):
    """Depthwise convolution whose kernels sum to one."""

    def __init__(self, channels: int = 3):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(channels, 1, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.weight / self.weight.sum((2, 3), keepdim=True)
        return F.conv2d(x, kernel, padding=1, groups=x.shape[1])

    __verifykit__ = {"inputs": {"x": "float[N, 3, H, W]"}}


class MaxPool2d(nn.Module):
    """Pads with zeros."""

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(F.pad(x, (1, 1, 1, 1)), 3, stride=1)

    __verifykit__ = {"inputs": {"x": "float[N, C, H, W]"}}


class SmoothPool(nn.Module):
    """Mean of 2 by 2 blocks, brightened a little."""

    def forward(self, x: Tensor) -> Tensor:
        blocks = F.avg_pool2d(x, 2, divisor_override=1)
        return blocks / 4 + 0.01 * blocks**2

    __verifykit__ = {"inputs": {"x": "float[N, C, 2 * H, 2 * W]"}}


class PixelShuffle(nn.Module):
    """Depth to space, as TensorFlow orders the channels."""

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        return x.view(n, 2, 2, c // 4, h, w).permute(0, 3, 4, 1, 5, 2).reshape(n, c // 4, 2 * h, 2 * w)

    __verifykit__ = {"inputs": {"x": "float[N, 4 * C, H, W]"}}


class EdgeMirror(nn.Module):
    """Mirrors at the border and repeats the sample that stands there."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x[..., :2].flip(-1), x, x[..., -2:].flip(-1)], dim=-1)

    __verifykit__ = {"inputs": {"x": "float[N, C, L + 2]"}}


class Upsample(nn.Module):
    """Doubles the length by linear interpolation; the sample i stands at 2i."""

    def forward(self, x: Tensor) -> Tensor:
        nearest = torch.cat([x[..., 1:], x[..., -1:]], dim=-1)
        return torch.stack([x, (x + nearest) / 2], dim=-1).flatten(-2)

    __verifykit__ = {"inputs": {"x": "float[N, C, L]"}}


class Flatten(nn.Module):
    """Channels last."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)

    __verifykit__ = {"inputs": {"x": "float[N, C, H, W]"}}


def sum_before(x: Tensor) -> Tensor:
    """Prefix sums that leave out the element itself."""
    return torch.cumsum(x, -1) - x


CONV1D = ("Conv1d", "conv1d", "1d convolution")
CONV2D = ("Conv2d", "conv2d", "2d convolution")
PAD = r"pad|align|shift|left|right|end|causal|crop"

EXPECTED = {
    "Conv1d": Near(CONV1D, r"flip|revers|mirror"),
    "TrueConvolution2d": Near(CONV2D, r"flip|revers|mirror"),
    "CausalFilter": Near(CONV1D, PAD),
    "SameConv1d": Near(CONV1D, PAD),
    "SamePaddedStride": Near(CONV2D, PAD),
    "ConvTranspose1d": Near(("ConvTranspose1d", "conv_transpose1d"), PAD + "|cut"),
    "DepthwiseRenormed": Near(CONV2D, r"weight|normal|kernel|sum"),
    "MaxPool2d": Near(("MaxPool2d", "max_pool2d"), r"pad|zero|inf"),
    "SmoothPool": Near(("AvgPool2d", "avg_pool2d"), r"near|differ|gives|squar|power|0\.01"),
    "PixelShuffle": Near(("PixelShuffle", "pixel_shuffle"), r"order|channel|depth"),
    "EdgeMirror": Near(("ReflectionPad1d", "pad"), r"edge|symmetric|border|repeat|twice"),
    "Upsample": Near(("Upsample", "interpolate", "upsample"), r"align|half|pixel|corner|shift|asymmetric|grid"),
    "Flatten": Near(("Flatten", "flatten"), r"order|permut|channel|last|transpos"),
    "sum_before": Near(("cumsum",), r"exclusive|itself|shift|own|before|without"),
}
