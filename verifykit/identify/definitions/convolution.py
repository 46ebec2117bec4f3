"""Convolutions in one and two dimensions, with what may go wrong in their padding, and pooling."""

import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from verifykit.identify.definitions.definition import Arguments, Definition, Variant
from verifykit.identify.definitions.found_numbers import numbers_of
from verifykit.identify.facts import Facts


def _padded(x: Tensor, total: int, space: int, side: str, mode: str) -> Tensor:
    """``total`` elements beside each of the last ``space`` dimensions; on both sides the odd one comes last, as torch
    has it for padding='same'.
    """
    left = {"left": total, "right": 0, "both": total // 2, "left extra": total - total // 2}[side]
    return F.pad(x, (left, total - left) * space, mode) if total else x


class _Padding:
    """What both convolutions do: pad by hand, then convolve."""

    def settle(self, total: int, side: str, mode: str, order: str) -> None:
        self.total, self.side, self.mode, self.order = total, side, mode, order

    def pad(self, x: Tensor, space: int) -> Tensor:
        return _padded(x, self.total, space, self.side, self.mode)


class Conv1d(nn.Conv1d, _Padding):
    """The cross-correlation of torch.nn.Conv1d, its input padded by ``total`` elements."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, *, total: int = 0, stride: int = 1,
            dilation: int = 1,
        groups: int = 1, bias: bool = True, side: str = "both", mode: str = "constant", order: str = "channels first",
    ) -> None:  # fmt: skip
        super().__init__(in_channels, out_channels, kernel_size, stride, 0, dilation, groups, bias)
        self.settle(total, side, mode, order)

    def forward(self, input: Tensor) -> Tensor:
        x = input.mT if self.order == "channels last" else input
        found = F.conv1d(self.pad(x, 1), self.weight, self.bias, self.stride, 0, self.dilation, self.groups)
        return found.mT if self.order == "channels last" else found


class CausalConv1d(Conv1d):
    """A convolution of which an output sees its own and earlier inputs; van den Oord et al. 2016, section 2.1."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        shift: int = 0,
        side: str = "left",
        **options: Any,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, side=side, **options)
        self.shift = shift

    def forward(self, input: Tensor) -> Tensor:
        found = super().forward(input)
        dim = 1 if self.order == "channels last" else 2
        return (
            found.roll(self.shift, dim)
            if self.shift < 0
            else F.pad(found, (self.shift, -self.shift))
            if self.shift
            else found
        )


class Conv2d(nn.Conv2d, _Padding):
    """The cross-correlation of torch.nn.Conv2d, its input padded by ``total`` elements in each dimension."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, *, total: int = 0, stride: int = 1,
            dilation: int = 1,
        groups: int = 1, bias: bool = True, side: str = "both", mode: str = "constant",
    ) -> None:  # fmt: skip
        super().__init__(in_channels, out_channels, kernel_size, stride, 0, dilation, groups, bias)
        self.settle(total, side, mode, "channels first")

    def forward(self, input: Tensor) -> Tensor:
        return F.conv2d(self.pad(input, 2), self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


def max_pool(
    x: Tensor, *, kernel_size: int, stride: int, total: int = 0, form: str = "maximum", mode: str = "infinity"
) -> Tensor:
    """The maximum of each window, padding below all values; torch.nn.MaxPool1d and torch.nn.MaxPool2d."""
    space = x.ndim - 2
    pool: Callable[..., Tensor] = {1: F.max_pool1d, 2: F.max_pool2d}[space]
    padded = F.pad(x, (total // 2, total - total // 2) * space, value=0.0 if mode == "zeros" else -math.inf)
    if form == "minimum":
        return -pool(-padded.nan_to_num(neginf=math.inf), kernel_size, stride)
    return pool(padded, kernel_size, stride)


def avg_pool(
    x: Tensor, *, kernel_size: int, stride: int, total: int = 0, counted: bool = True, form: str = "mean"
) -> Tensor:
    """The mean of each window, padding counted; torch.nn.AvgPool1d and torch.nn.AvgPool2d."""
    space = x.ndim - 2
    pool: Callable[..., Tensor] = {1: F.avg_pool1d, 2: F.avg_pool2d}[space]
    pads = (total // 2, total - total // 2) * space
    found = pool(F.pad(x, pads), kernel_size, stride)
    if not counted:
        found = found / pool(F.pad(x.new_ones(x.shape), pads), kernel_size, stride)
    area = kernel_size**space
    factor: float = {"mean": 1.0, "sum": area, "one": area / kernel_size, "less": area / max(area - 1, 1)}[form]
    return found * factor


def _convolved(space: int, causal: bool = False) -> Any:
    def sizes(facts: Facts) -> Iterable[Arguments]:
        x, y, held = facts.inputs[0], next(iter(facts.outputs.values())), facts.parameters
        if x.ndim != space + 2 or y.ndim != x.ndim or not held or not x.is_floating_point():
            return
        orders = ("channels first", "channels last") if space == 1 else ("channels first",)
        numbers, count = numbers_of(facts).named, sum(p.numel() for p in held.values())
        for order in orders:
            channel = -1 if order == "channels last" else 1
            inside, outside = x.shape[channel], y.shape[channel]
            long, short = (x.shape[1], y.shape[1]) if order == "channels last" else (x.shape[2], y.shape[2])
            for k, groups, bias in itertools.product(range(1, 12), range(1, inside + 1), (True, False)):
                if (
                    inside % groups
                    or outside % groups
                    or outside * inside // groups * k**space + bias * outside != count
                ):
                    continue
                dilations = [int(numbers["dilation"])] if "dilation" in numbers else (1, 2)
                strides = [int(numbers["stride"])] if "stride" in numbers else (1, 2)
                for stride, dilation in itertools.product(strides, dilations):
                    total = (short - 1) * stride + dilation * (k - 1) + 1 - long
                    if causal and (total != dilation * (k - 1) or stride != 1):
                        continue
                    if 0 <= total <= 2 * dilation * k:
                        more = {"order": order} if space == 1 else {}
                        yield {"in_channels": inside, "out_channels": outside, "kernel_size": k, "total": total,
                               "stride": stride, "dilation": dilation, "groups": groups, "bias": bias,
                                   **more}  # fmt: skip

    return sizes


def _pooled(facts: Facts) -> Iterable[Arguments]:
    x, y = facts.inputs[0], next(iter(facts.outputs.values()))
    if x.ndim not in (3, 4) or y.ndim != x.ndim or facts.parameters or y.shape[:2] != x.shape[:2]:
        return
    numbers = numbers_of(facts).named
    kernels = [int(numbers[n]) for n in ("kernel_size", "k", "kernel", "size", "pool_size") if n in numbers] or [2, 3]
    for k in kernels[:2]:
        for stride in [int(numbers["stride"])] if "stride" in numbers else sorted({k, 1, 2}):
            total = max((y.shape[-1] - 1) * stride + k - x.shape[-1], 0)
            if stride > 0 and k > 1 and total <= k and all(
                (a + total - k) // stride + 1 == b for a, b in zip(x.shape[2:], y.shape[2:], strict=True)
            ):  # fmt: skip
                yield {"kernel_size": k, "stride": stride, "total": total}


_MODES = (
    Variant("reflect", "it is padded by reflection instead of zeros", True),
    Variant("replicate", "it is padded by repetition instead of zeros", True),
    Variant("circular", "it is padded by wrapping round instead of zeros", True),
)
_SIDES = (
    Variant("left", "padding is on the left instead of both sides"),
    Variant("right", "padding is on the right instead of both sides"),
    Variant("left extra", "the odd element of padding is on the left instead of the right"),
)
DEFINITIONS = (
    Definition("causal convolution", CausalConv1d, "van den Oord et al. 2016, WaveNet, section 2.1",
               ("causalconv1d", "causalconv", "causalconvolution", "causalconvolution1d"), "", (1,), _convolved(1,
                   True),
               deviations={"side": (
                   Variant("right", "padding is on the right instead of the left"),
                   Variant("both", "padding is on both sides: an output sees later inputs")), "shift": (
                   Variant(1, "it is shifted by one step: an output does not see its own input"),)}),
    Definition("1d convolution", Conv1d, "torch.nn.Conv1d", ("conv1d", "convolution1d"), "torch.nn.Conv1d", (1,),
               _convolved(1), deviations={"side": _SIDES, "mode": _MODES}),
    Definition("2d convolution", Conv2d, "torch.nn.Conv2d", ("conv2d", "convolution2d"), "torch.nn.Conv2d", (1,),
               _convolved(2), deviations={"side": _SIDES, "mode": _MODES}),
    Definition("max pooling", max_pool, "torch.nn.MaxPool2d", ("maxpool", "maxpool1d", "maxpool2d", "maxpooling",
               "maxpooling1d", "maxpooling2d"), "torch.nn.MaxPool{n}d", (1,), _pooled, deviations={
                   "mode": (Variant("zeros", "it is padded with zeros instead of minus infinity"),),
                   "form": (Variant("minimum", "it takes the minimum"),)}),
    Definition("average pooling", avg_pool, "torch.nn.AvgPool2d", ("avgpool", "avgpool1d", "avgpool2d",
        "averagepooling",
               "averagepooling1d", "averagepooling2d", "meanpool"), "torch.nn.AvgPool{n}d", (1,), _pooled,
               conventions={"counted": (True, False)}, deviations={"form": (
                   Variant("sum", "windows are summed instead of averaged"),
                   Variant("one", "it divides by one side of the window instead of its area"),
                   Variant("less", "it divides by n - 1 instead of n"))}),
)  # fmt: skip
