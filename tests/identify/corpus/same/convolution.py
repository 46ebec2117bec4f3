"""Convolutions, written again."""
# ruff: noqa: ANN001, ANN201, ANN204, RUF012

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.identify.corpus.entries import Same


class UnfoldConv2d(nn.Module):
    """im2col, then one matrix product."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3, padding: int = 1):
        super().__init__()
        self.kernel_size, self.padding = kernel_size, padding
        self.weight = nn.Parameter(0.1 * torch.randn(out_channels, in_channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        n, _, h, w = x.shape
        columns = F.unfold(x, self.kernel_size, padding=self.padding)
        out = self.weight.flatten(1) @ columns + self.bias[:, None]
        rows = h + 2 * self.padding - self.kernel_size + 1
        return out.view(n, -1, rows, w + 2 * self.padding - self.kernel_size + 1)


class ShiftedSumConv1d(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size=3):
        super().__init__()
        self.taps = nn.Parameter(torch.randn(kernel_size, out_channels, in_channels))

    def forward(self, x):
        k = len(self.taps)
        length = x.shape[-1] - k + 1
        return sum(self.taps[i] @ x[:, :, i : i + length] for i in range(k))


class WindowedConv1d(nn.Module):
    """Channels-first input, kernel stored as (width, in, out) like TensorFlow does."""

    def __init__(self, in_ch: int, out_ch: int, width: int = 3):
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(width, in_ch, out_ch) * 0.2)
        self.bias = nn.Parameter(torch.zeros(out_ch))

    def forward(self, signal: Tensor) -> Tensor:
        windows = signal.unfold(2, self.kernel.shape[0], 1)
        return torch.einsum("nclk,kco->nol", windows, self.kernel) + self.bias[None, :, None]


class DepthwiseConv(nn.Module):
    def __init__(self, channels: int, kernel_size: int = 3):
        super().__init__()
        self.k = kernel_size
        self.weight = nn.Parameter(torch.randn(channels, kernel_size, kernel_size))

    def forward(self, x: Tensor) -> Tensor:
        p = self.k // 2
        padded = F.pad(x, (p, p, p, p))
        patches = padded.unfold(2, self.k, 1).unfold(3, self.k, 1)
        return (patches * self.weight[None, :, None, None]).sum((-1, -2))


class PointwiseConv(nn.Module):
    """1x1 convolution as a linear layer over the channels."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.mix = nn.Linear(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    __verifykit__ = {"inputs": {"x": "float[N, in_channels, H, W]"}}


class PatchEmbedding(nn.Module):
    def __init__(self, in_chans: int = 3, embed_dim: int = 5, patch_size: int = 2):
        super().__init__()
        self.p = patch_size
        self.proj = nn.Linear(in_chans * patch_size**2, embed_dim)

    def forward(self, img: Tensor) -> Tensor:
        n, c, h, w = img.shape
        p = self.p
        patches = img.reshape(n, c, h // p, p, w // p, p).permute(0, 2, 4, 1, 3, 5).reshape(n, h // p, w // p, -1)
        return self.proj(patches).movedim(-1, 1)

    __verifykit__ = {"inputs": {"img": "float[N, 3, 2*H, 2*W]"}}


class DilatedConv1d(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size=3, dilation=2):
        super().__init__()
        self.dilation = dilation
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel_size) / in_channels)
        self.bias = nn.Parameter(torch.randn(out_channels))

    def forward(self, x):
        k, d = self.weight.shape[-1], self.dilation
        length = x.shape[-1] - d * (k - 1)
        out = self.bias[:, None]
        for i in range(k):
            out = out + torch.einsum("oc,ncl->nol", self.weight[..., i], x[..., i * d : i * d + length])
        return out


class GroupedConv2d(nn.Module):
    """Each half of the channels has a convolution of its own."""

    def __init__(self, in_channels: int = 4, out_channels: int = 6):
        super().__init__()
        self.first = nn.Conv2d(in_channels // 2, out_channels // 2, 3, padding=1)
        self.second = nn.Conv2d(in_channels // 2, out_channels // 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        a, b = x.chunk(2, dim=1)
        return torch.cat([self.first(a), self.second(b)], dim=1)

    __verifykit__ = {"inputs": {"x": "float[N, 4, H, W]"}}


class CircularFFTConv1d(nn.Module):
    """Circular cross-correlation through the FFT."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel_size))

    def forward(self, x: Tensor) -> Tensor:
        n = x.shape[-1]
        spectrum = torch.einsum("ncf,ocf->nof", torch.fft.rfft(x), torch.fft.rfft(self.weight, n=n).conj())
        return torch.fft.irfft(spectrum, n=n).roll(self.weight.shape[-1] // 2, dims=-1)

    __verifykit__ = {"init": {"in_channels": 3, "out_channels": 4}, "inputs": {"x": "float[N, 3, L + 3]"}}


class StridedConv2d(nn.Module):
    def __init__(self, c1: int, c2: int, k: int = 3, s: int = 2):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(c2, c1, k, k))
        nn.init.kaiming_normal_(self.weight)
        self.s = s

    def forward(self, x: Tensor) -> Tensor:
        k, s = self.weight.shape[-1], self.s
        patches = x.unfold(2, k, s).unfold(3, k, s)
        return torch.tensordot(patches, self.weight, dims=([1, 4, 5], [1, 2, 3])).permute(0, 3, 1, 2)


class ScatterTransposedConv1d(nn.Module):
    """Every input position adds its scaled kernel to the output."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 4, stride: int = 2):
        super().__init__()
        self.stride = stride
        self.weight = nn.Parameter(torch.randn(in_channels, out_channels, kernel_size))

    def forward(self, x: Tensor) -> Tensor:
        n, _, length = x.shape
        k, s = self.weight.shape[-1], self.stride
        out = x.new_zeros(n, self.weight.shape[1], (length - 1) * s + k)
        for j in range(k):
            out[..., j : j + (length - 1) * s + 1 : s] += torch.einsum("ncl,co->nol", x, self.weight[..., j])
        return out


class Deconv2d(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size=2):
        super().__init__()
        self.k = kernel_size
        self.expand = nn.Parameter(torch.randn(out_channels * kernel_size**2, in_channels))
        self.offset = nn.Parameter(torch.zeros(out_channels))

    def forward(self, x):
        return F.pixel_shuffle(torch.einsum("oc,nchw->nohw", self.expand, x), self.k) + self.offset[:, None, None]


CONV1D = ("torch.nn.Conv1d", "torch.nn.functional.conv1d", "torch.conv1d")
CONV2D = ("torch.nn.Conv2d", "torch.nn.functional.conv2d", "torch.conv2d")

EXPECTED = {
    "UnfoldConv2d": Same(CONV2D, "initialisation", "padding="),
    "ShiftedSumConv1d": Same(CONV1D, "transposed|permut", "bias=False"),
    "WindowedConv1d": Same(CONV1D, "transposed|permut"),
    "DepthwiseConv": Same(CONV2D, "initialisation|shape", "groups="),
    "PointwiseConv": Same((*CONV2D, "torch.nn.LazyConv2d"), "|shape"),
    "PatchEmbedding": Same(CONV2D, "|shape", "stride="),
    "DilatedConv1d": Same(CONV1D, "initialisation", "dilation="),
    "GroupedConv2d": Same(CONV2D, "packed|made of|split|concat|joined|stacked|parts", "groups="),
    "CircularFFTConv1d": Same(CONV1D, "initialisation", "circular"),
    "StridedConv2d": Same(CONV2D, "initialisation", "stride="),
    "ScatterTransposedConv1d": Same(("torch.nn.ConvTranspose1d",), "initialisation", "stride="),
    "Deconv2d": Same(("torch.nn.ConvTranspose2d",), "transposed|permut|shape", "stride="),
}
