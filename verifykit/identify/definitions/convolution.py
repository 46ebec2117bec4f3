"""Convolutions in one and two dimensions, with what may go wrong in their padding."""

import itertools
from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from verifykit.identify.definitions.definition import Arguments, Definition, Variant
from verifykit.identify.definitions.found_numbers import numbers_of
from verifykit.identify.definitions.padding import MODES, SIDES, needed, padded, paddings
from verifykit.identify.facts import Facts


def _convolution(base: type[Any], convolve: Callable[..., Tensor]) -> type[nn.Module]:
    class Convolution(base):  # type: ignore[misc]
        """The cross-correlation of torch's module of that name; where ``side`` or ``mode`` differ, padded by as much
        as an output of that size needs.
        """

        def __init__(
            self, in_channels: int, out_channels: int, kernel_size: int, *, stride: int = 1, padding: int | str = 0,
            dilation: int = 1, groups: int = 1, bias: bool = True, side: str = "both", mode: str = "constant",
            layout: str = "channels first", kernel: str = "as it is",
        ) -> None:  # fmt: skip
            super().__init__(in_channels, out_channels, kernel_size, stride, 0, dilation, groups, bias)
            self.beside, self.side, self.mode, self.layout, self.kernel = padding, side, mode, layout, kernel

        def forward(self, input: Tensor) -> Tensor:
            x = input.movedim(-1, 1) if self.layout == "channels last" else input
            weight = self.weight
            if self.kernel == "normalised":
                weight = weight / weight.sum(tuple(range(2, weight.ndim)), keepdim=True)
            elif self.kernel == "standardised":
                dims = tuple(range(1, weight.ndim))
                centred = weight - weight.mean(dims, keepdim=True)
                weight = centred / (centred.square().mean(dims, keepdim=True) + 1e-5).sqrt()
            elif self.kernel == "softmax":
                weight = weight.flatten(2).softmax(-1).view_as(weight)
            x = padded(x, self._widths(x), self.side, self.mode)
            found = convolve(x, weight, self.bias, self.stride, 0, self.dilation, self.groups)
            return found.movedim(1, -1) if self.layout == "channels last" else found

        def _widths(self, x: Tensor) -> list[int]:
            reaches = [d * (k - 1) for k, d in zip(self.kernel_size, self.dilation, strict=True)]
            if self.beside == "same":
                return reaches
            widths = [2 * int(self.beside)] * len(reaches)
            if self.side == "both":
                return widths
            steps = zip(x.shape[2:], reaches, self.stride, strict=True)
            return [w - (n + w - reach - 1) % s for w, (n, reach, s) in zip(widths, steps, strict=True)]

    Convolution.__name__ = Convolution.__qualname__ = base.__name__
    return Convolution


Conv1d, Conv2d = _convolution(nn.Conv1d, F.conv1d), _convolution(nn.Conv2d, F.conv2d)


class CausalConv1d(nn.Conv1d):
    """A convolution of which an output sees its own and earlier inputs; van den Oord et al. 2016, section 2.1."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, *, stride: int = 1, dilation: int = 1,
        groups: int = 1, bias: bool = True, shift: int = 0, side: str = "left", layout: str = "channels first",
    ) -> None:  # fmt: skip
        super().__init__(in_channels, out_channels, kernel_size, stride, 0, dilation, groups, bias)
        self.shift, self.side, self.layout = shift, side, layout

    def forward(self, input: Tensor) -> Tensor:
        x = input.mT if self.layout == "channels last" else input
        x = padded(x, [self.dilation[0] * (self.kernel_size[0] - 1)], self.side, "constant")
        found = F.conv1d(x, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)
        found = F.pad(found, (self.shift, -self.shift)) if self.shift else found
        return found.mT if self.layout == "channels last" else found


def _convolved(space: int, causal: bool = False) -> Callable[[Facts], Iterable[Arguments]]:
    def sizes(facts: Facts) -> Iterable[Arguments]:
        x, y, held = facts.inputs[0], next(iter(facts.outputs.values())), facts.parameters
        if x.ndim != space + 2 or y.ndim != x.ndim or not held or not x.is_floating_point():
            return
        numbers, count = numbers_of(facts).named, sum(p.numel() for p in held.values())
        dilations = [int(numbers["dilation"])] if "dilation" in numbers else [1, 2]
        strides = [int(numbers["stride"])] if "stride" in numbers else [1, 2, 3]
        for layout, (k, bias) in itertools.product(
            ("channels first", "channels last"), itertools.product(range(1, 12), (True, False))
        ):
            a, b = (x, y) if layout == "channels first" else (x.movedim(-1, 1), y.movedim(-1, 1))
            for groups in _groups(a.shape[1], b.shape[1], k**space, count, bias):
                for stride, dilation in itertools.product(strides, dilations):
                    if k == 1 and dilation > 1:
                        continue
                    sized: Arguments = {
                        "in_channels": a.shape[1], "out_channels": b.shape[1], "kernel_size": k, "stride": stride,
                        "dilation": dilation, "groups": groups, "bias": bias,
                    }  # fmt: skip
                    if causal:
                        if all((n - 1) // stride + 1 == m for n, m in zip(a.shape[2:], b.shape[2:], strict=True)):
                            yield sized
                        continue
                    total = needed(a.shape[-1], b.shape[-1], k, stride, dilation)
                    if stride == 1 and total % 2 and total == dilation * (k - 1):
                        yield {**sized, "padding": "same"}
                    for padding in paddings(a.shape[2:], b.shape[2:], k, stride, dilation):
                        yield {**sized, "padding": padding}

    return sizes


def _groups(inside: int, outside: int, area: int, count: int, bias: bool) -> list[int]:
    """The numbers of groups with which as many parameters are held."""
    return [
        g for g in range(1, inside + 1)
        if inside % g == 0 and outside % g == 0 and outside * inside // g * area + bias * outside == count
    ]  # fmt: skip


_KERNELS = (
    Variant("normalised", "the kernel is normalised: its weights are divided by their sum"),
    Variant("standardised", "the kernel is standardised: weights have mean 0 and variance 1"),
    Variant("softmax", "a softmax is taken over the weights of the kernel"),
)
_LAYOUT = (
    Variant("channels last", "it takes channels last: they are the last dimension instead of dimension 1", True),
)
_DEVIATIONS = {"side": SIDES, "mode": MODES, "kernel": _KERNELS, "layout": _LAYOUT}
DEFINITIONS = (
    Definition("causal convolution", CausalConv1d, "van den Oord et al. 2016, WaveNet, section 2.1",
               ("causalconv1d", "causalconv", "causalconvolution", "causalconvolution1d"), "", (1,),
               _convolved(1, True), deviations={"side": (
                   Variant("right", "padding is on the right instead of the left"),
                   Variant("both", "padding is on both sides: an output sees later inputs")), "shift": (
                   Variant(1, "it is shifted by one step: an output does not see its own input"),),
                   "layout": _LAYOUT}),
    Definition("1d convolution", Conv1d, "torch.nn.Conv1d", ("conv1d", "convolution1d"), "torch.nn.Conv1d", (1,),
               _convolved(1), deviations=_DEVIATIONS),
    Definition("2d convolution", Conv2d, "torch.nn.Conv2d", ("conv2d", "convolution2d"), "torch.nn.Conv2d", (1,),
               _convolved(2), deviations=_DEVIATIONS),
)  # fmt: skip
