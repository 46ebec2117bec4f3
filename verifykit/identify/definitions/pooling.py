"""Pooling over windows, and over all of space."""

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from verifykit.identify.definitions.definition import Arguments, Definition, Variant
from verifykit.identify.definitions.found_numbers import numbers_of
from verifykit.identify.definitions.padding import padded, paddings
from verifykit.identify.facts import Facts


def max_pool(
    x: Tensor, *, kernel_size: int, stride: int, padding: int = 0, form: str = "maximum", mode: str = "infinity",
    side: str = "both",
) -> Tensor:  # fmt: skip
    """The maximum of each window, padding below all values; torch.nn.MaxPool1d and torch.nn.MaxPool2d."""
    space = x.ndim - 2
    pool: Callable[..., Tensor] = {1: F.max_pool1d, 2: F.max_pool2d}[space]
    below = {"zeros": 0.0}.get(mode, -math.inf)
    wide = padded(x, [2 * padding] * space, side, mode if mode in ("reflect", "replicate") else "constant", below)
    if form == "minimum":
        return -pool(-wide.nan_to_num(neginf=math.inf), kernel_size, stride)
    if form == "magnitude":
        return pool(wide.abs().nan_to_num(posinf=0.0), kernel_size, stride)
    return pool(wide, kernel_size, stride)


def avg_pool(
    x: Tensor, *, kernel_size: int, stride: int, padding: int = 0, counted: bool = True, form: str = "mean",
    mode: str = "zeros", side: str = "both",
) -> Tensor:  # fmt: skip
    """The mean of each window, padding counted; torch.nn.AvgPool1d and torch.nn.AvgPool2d."""
    space = x.ndim - 2
    pool: Callable[..., Tensor] = {1: F.avg_pool1d, 2: F.avg_pool2d}[space]
    widths = [2 * padding] * space
    wide = padded(x, widths, side, mode if mode in ("reflect", "replicate") else "constant")
    area = int(kernel_size**space)
    if form == "square":
        return pool(wide.square(), kernel_size, stride).sqrt()
    if form == "norm":
        return (area * pool(wide.square(), kernel_size, stride)).sqrt()
    found = pool(wide, kernel_size, stride)
    if not counted:
        found = found / pool(padded(torch.ones_like(x), widths, side, "constant"), kernel_size, stride)
    factor: float = {"sum": area, "one": area / kernel_size, "less": area / max(area - 1, 1)}.get(form, 1.0)
    return found * factor


def mean_over_space(x: Tensor, *, keepdim: bool = True, form: str = "mean") -> Tensor:
    """The mean over all of space; torch.nn.AdaptiveAvgPool2d(1)."""
    dims = tuple(range(2, x.ndim))
    return {
        "mean": lambda: x.mean(dims, keepdim=keepdim),
        "sum": lambda: x.sum(dims, keepdim=keepdim),
        "both": lambda: x.mean(dims, keepdim=keepdim) + x.amax(dims, keepdim=keepdim),
        "half": lambda: (x.mean(dims, keepdim=keepdim) + x.amax(dims, keepdim=keepdim)) / 2,
        "root": lambda: x.square().mean(dims, keepdim=keepdim).sqrt(),
        "softmax": lambda: (x * x.flatten(2).softmax(-1).view_as(x)).sum(dims, keepdim=keepdim),
    }[form]()


def _pooled(facts: Facts) -> Iterable[Arguments]:
    x, y = facts.inputs[0], next(iter(facts.outputs.values()))
    if x.ndim not in (3, 4) or y.ndim != x.ndim or facts.parameters or y.shape[:2] != x.shape[:2]:
        return
    found = numbers_of(facts)
    kernels = [int(found.named[n]) for n in ("kernel_size", "k", "kernel", "size", "pool_size") if n in found.named]
    kernels = kernels or list(dict.fromkeys([*(int(v) for v in found.loose if v in (2, 3, 4, 5)), 2, 3]))
    for k in kernels[:3]:
        for stride in [int(found.named["stride"])] if "stride" in found.named else sorted({k, 1, 2}):
            for padding in paddings(x.shape[2:], y.shape[2:], k, stride, 1) if k > 1 and stride > 0 else ():
                yield {"kernel_size": k, "stride": stride, "padding": padding}


def _over_space(facts: Facts) -> Iterable[Arguments]:
    x, y = facts.inputs[0], next(iter(facts.outputs.values()))
    if x.ndim >= 3 and not facts.parameters and y.shape[:2] == x.shape[:2] and y.numel() == math.prod(x.shape[:2]):
        yield {"keepdim": y.ndim == x.ndim}


_WAYS = (
    Variant("reflect", "it is padded by reflection", True),
    Variant("replicate", "it is padded by repetition of the edge", True),
)
_SIDE = (
    Variant("right", "all the padding is at the end, on the right, instead of both sides"),
    Variant("left", "all the padding is at the beginning, on the left, instead of both sides"),
)
DEFINITIONS = (
    Definition("max pooling", max_pool, "torch.nn.MaxPool2d", ("maxpool", "maxpool1d", "maxpool2d", "maxpooling",
               "maxpooling1d", "maxpooling2d"), "torch.nn.MaxPool{n}d", (1,), _pooled, deviations={
                   "mode": (Variant("zeros", "it is padded with zeros instead of minus infinity"), *_WAYS),
                   "side": _SIDE,
                   "form": (Variant("minimum", "it takes the minimum"),
                            Variant("magnitude", "it takes the greatest magnitude"))}),
    Definition("average pooling", avg_pool, "torch.nn.AvgPool2d", ("avgpool", "avgpool1d", "avgpool2d",
               "averagepooling", "averagepooling1d", "averagepooling2d", "meanpool"), "torch.nn.AvgPool{n}d", (1,),
               _pooled, conventions={"counted": (True, False)}, deviations={"mode": _WAYS, "side": _SIDE, "form": (
                   Variant("sum", "windows are summed instead of averaged"),
                   Variant("one", "it divides by one side of the window instead of its area"),
                   Variant("less", "it divides by n - 1 instead of n"),
                   Variant("square", "it is the root of the mean of squares"),
                   Variant("norm", "it is the root of the sum of squares, as in LPPool"))}),
    Definition("average over space", mean_over_space, "torch.nn.AdaptiveAvgPool2d(1)", ("globalavgpool",
               "globalaveragepooling", "globalpooling", "gap"), "", (1,), _over_space,
               deviations={"form": (
                   Variant("sum", "it is summed instead of averaged"),
                   Variant("both", "the maximum is added to the mean"),
                   Variant("half", "it is the mean of average and maximum"),
                   Variant("root", "it is the root of the mean of squares"),
                   Variant("softmax", "it is weighted by a softmax over space"))}),
)  # fmt: skip
