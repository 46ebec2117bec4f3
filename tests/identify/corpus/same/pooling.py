"""Pooling, padding and rearrangement, written again."""
# ruff: noqa: ANN001, ANN201, ANN204, RUF012

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.identify.corpus.entries import Same


class UnfoldMaxPool2d(nn.Module):
    def __init__(self, kernel_size: int = 2):
        super().__init__()
        self.k = kernel_size

    def forward(self, x: Tensor) -> Tensor:
        return x.unfold(2, self.k, self.k).unfold(3, self.k, self.k).amax((-1, -2))

    __verifykit__ = {"inputs": {"x": "float[N, C, 2 * H, 2 * W]"}}


class BlockMean(nn.Module):
    """Averages blocks of 2 by 2 pixels."""

    def forward(self, image: Tensor) -> Tensor:
        n, c, h, w = image.shape
        return image.reshape(n, c, h // 2, 2, w // 2, 2).mean((3, 5))

    __verifykit__ = {"inputs": {"image": "float[N, C, 2 * H, 2 * W]"}}


class MovingAverage(nn.Module):
    def __init__(self, window=3):
        super().__init__()
        self.window = window

    def forward(self, series):
        return series.unfold(-1, self.window, 1).mean(-1)

    __verifykit__ = {"inputs": {"series": "float[N, C, L + 2]"}}


class BorderAwareMean(nn.Module):
    """3 by 3 mean filter that leaves what lies outside out of the count."""

    def forward(self, x: Tensor) -> Tensor:
        ones = torch.ones_like(x)
        box = torch.ones(x.shape[1], 1, 3, 3, dtype=x.dtype, device=x.device)
        total = F.conv2d(x, box, padding=1, groups=x.shape[1])
        return total / F.conv2d(ones, box, padding=1, groups=x.shape[1])

    __verifykit__ = {"inputs": {"x": "float[N, C, H, W]"}}


class GlobalPool(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3), keepdim=True)


class PeakPerChannel(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).max(-1).values[..., None, None]

    __verifykit__ = {"inputs": {"x": "float[N, C, H, W]"}}


class Flattener(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(x.size(0), -1)

    __verifykit__ = {"inputs": {"x": "float[N, C, H, W]"}}


class SubPixel(nn.Module):
    """Upscaling by rearrangement, from Shi et al. (2016)."""

    def __init__(self, r: int = 2):
        super().__init__()
        self.r = r

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        x = x.view(n, c // self.r**2, self.r, self.r, h, w)
        return x.permute(0, 1, 4, 2, 5, 3).reshape(n, c // self.r**2, h * self.r, w * self.r)

    __verifykit__ = {"inputs": {"x": "float[N, 4 * C, H, W]"}}


class SpaceToDepth(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        return x.view(n, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(n, 4 * c, h // 2, w // 2)

    __verifykit__ = {"inputs": {"x": "float[N, C, 2 * H, 2 * W]"}}


class RepeatUpsample(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)

    __verifykit__ = {"inputs": {"x": "float[N, C, H, W]"}}


class MixChannels(nn.Module):
    """The shuffle of ShuffleNet."""

    def __init__(self, groups: int = 2):
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        return x.view(n, self.groups, c // self.groups, h, w).transpose(1, 2).contiguous().view(n, c, h, w)

    __verifykit__ = {"inputs": {"x": "float[N, 2 * C, H, W]"}}


class ZeroBorder(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        column = x.new_zeros(*x.shape[:-1], 1)
        x = torch.cat([column, x, column], dim=-1)
        row = x.new_zeros(*x.shape[:-2], 1, x.shape[-1])
        return torch.cat([row, x, row], dim=-2)

    __verifykit__ = {"inputs": {"x": "float[N, C, H, W]"}}


class MirrorPad(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x[..., 1:3].flip(-1), x, x[..., -3:-1].flip(-1)], dim=-1)

    __verifykit__ = {"inputs": {"x": "float[N, C, L + 3]"}}


def running_total(x: Tensor) -> Tensor:
    """Prefix sums over the last dimension."""
    total, out = torch.zeros_like(x[..., 0]), []
    for column in x.unbind(-1):
        total = total + column
        out.append(total)
    return torch.stack(out, -1)


class RandomZeros(nn.Module):
    """Inverted dropout."""

    def __init__(self, p: float = 0.3):
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        keep = (torch.rand_like(x) >= self.p).to(x.dtype)
        return x * keep / (1 - self.p)


EXPECTED = {
    "UnfoldMaxPool2d": Same(("MaxPool2d", "max_pool2d")),
    "BlockMean": Same(("AvgPool2d", "avg_pool2d")),
    "MovingAverage": Same(("AvgPool1d", "avg_pool1d"), "", "stride="),
    "BorderAwareMean": Same(("AvgPool2d", "avg_pool2d"), "", "count_include_pad=False"),
    "GlobalPool": Same(("AdaptiveAvgPool2d", "adaptive_avg_pool2d", "mean")),
    "PeakPerChannel": Same(("AdaptiveMaxPool2d", "adaptive_max_pool2d", "amax")),
    "Flattener": Same(("Flatten", "flatten")),
    "SubPixel": Same(("PixelShuffle", "pixel_shuffle")),
    "SpaceToDepth": Same(("PixelUnshuffle", "pixel_unshuffle")),
    "RepeatUpsample": Same(("Upsample", "UpsamplingNearest2d", "interpolate", "upsample", "upsample_nearest")),
    "MixChannels": Same(("ChannelShuffle", "channel_shuffle", "native_channel_shuffle")),
    "ZeroBorder": Same(("ZeroPad2d", "pad", "ConstantPad2d")),
    "MirrorPad": Same(("ReflectionPad1d", "pad")),
    "running_total": Same("cumsum"),
    "RandomZeros": Same(("Dropout", "dropout")),
}
