"""What makes an image or a sequence larger: padding, interpolation, transposed convolution."""

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from verifykit.identify.definitions.definition import Arguments, Definition, Variant
from verifykit.identify.definitions.padding import needed, symmetric
from verifykit.identify.facts import Facts


def pad(x: Tensor, *, padding: tuple[int, ...], form: str = "reflect", which: str = "these") -> Tensor:
    """``x`` mirrored at its borders, ``padding`` as in torch.nn.functional.pad; torch.nn.ReflectionPad1d and so on."""
    pads = list(padding)
    if which == "exchanged":
        pads = [pads[i ^ 1] for i in range(len(pads))]
    if form == "symmetric":
        return symmetric(x, pads)
    if form == "turned":
        return _antisymmetric(x, pads)
    return F.pad(x, pads, form) if form != "zeros" else F.pad(x, pads)


def interpolate(x: Tensor, *, scale_factor: int, mode: str, grid: str = "half pixel") -> Tensor:
    """``x`` with ``scale_factor`` as many samples along each of its dimensions but the first two, linearly interpolated
    or the nearest taken; torch.nn.Upsample.
    """
    for dim in range(2, x.ndim):
        old, new = x.shape[dim], x.shape[dim] * scale_factor
        i = torch.arange(new, dtype=torch.float64, device=x.device)
        at = {
            "corners": lambda i, old, new: i * (old - 1) / max(new - 1, 1),
            "asymmetric": lambda i, old, new: i / scale_factor,
            "end": lambda i, old, new: (i + 1) / scale_factor - 1,
        }.get(grid, lambda i, old, new: (i + 0.5) / scale_factor - 0.5)(i, old, new)
        if grid != "beyond":
            at = at.clamp(0, old - 1)
        if mode == "nearest":
            at = {"round": at.round, "ceil": at.ceil}.get(grid, (i / scale_factor).floor)()
            x = x.index_select(dim, at.clamp(0, old - 1).long())
            continue
        below = at.floor().clamp(0, max(old - 2, 0))
        part = (at - below).to(x).view([-1] + [1] * (x.ndim - 1 - dim))
        upper = (below + 1).clamp_max(old - 1).long()
        x = x.index_select(dim, below.long()) * (1 - part) + x.index_select(dim, upper) * part
        if grid == "zeros":
            x = x * (i % scale_factor == 0).to(x).view(part.shape)
    return x


def _transposed(base: type[Any], convolve: Callable[..., Tensor]) -> type[nn.Module]:
    class Transposed(base):  # type: ignore[misc]
        """torch's transposed convolution of that name, which cuts off ``padding`` elements at both ends of each
        dimension, and ``output_padding`` fewer at the end; ``cut`` says where else.
        """

        def __init__(
            self, in_channels: int, out_channels: int, kernel_size: int, *, stride: int = 1, padding: int = 0,
            output_padding: int = 0, groups: int = 1, bias: bool = True, cut: str = "both",
        ) -> None:  # fmt: skip
            super().__init__(in_channels, out_channels, kernel_size, stride, 0, 0, groups, bias)
            self.less, self.more, self.cut = padding, output_padding, cut

        def forward(self, input: Tensor) -> Tensor:
            whole = convolve(input, self.weight, self.bias, self.stride, 0, 0, self.groups)
            total = 2 * self.less - self.more
            left = {"end": 0, "beginning": total, "odd at the beginning": total - total // 2}.get(self.cut, self.less)
            for dim in range(2, whole.ndim):
                if left <= whole.shape[dim] and total >= left:
                    whole = whole.narrow(dim, left, whole.shape[dim] - total)
                else:
                    whole = F.pad(whole.movedim(dim, -1), (-left, left - total)).movedim(-1, dim)
            return whole

    Transposed.__name__ = Transposed.__qualname__ = base.__name__
    return Transposed


ConvTranspose1d = _transposed(nn.ConvTranspose1d, F.conv_transpose1d)
ConvTranspose2d = _transposed(nn.ConvTranspose2d, F.conv_transpose2d)


def _antisymmetric(x: Tensor, pads: list[int]) -> Tensor:
    """``x`` continued beyond its borders by turning it round the point there: 2 x[0] - x[i]."""
    mirrored = F.pad(x, pads, "reflect")
    return 2 * F.pad(x, pads, "replicate") - mirrored


def _wider(facts: Facts) -> Iterable[Arguments]:
    """Paddings, alike in all dimensions or of the last alone, that make the output as large."""
    x, y = facts.inputs[0], next(iter(facts.outputs.values()))
    if x.ndim not in (3, 4) or y.ndim != x.ndim or facts.parameters or y.shape[:2] != x.shape[:2]:
        return
    more = [b - a for a, b in zip(x.shape[2:], y.shape[2:], strict=True)]
    if min(more) < 0 or not any(more) or max(more) > 2 * min(x.shape[2:]):
        return
    ways: list[list[tuple[int, int]]] = [
        sorted(((left, m - left) for left in range(m + 1)), key=lambda w: abs(w[0] - w[1])) for m in reversed(more)
    ]
    for chosen in itertools.islice(itertools.product(*(way[:3] for way in ways)), 9):
        yield {"padding": tuple(itertools.chain.from_iterable(chosen))}


def _larger(facts: Facts) -> Iterable[Arguments]:
    x, y = facts.inputs[0], next(iter(facts.outputs.values()))
    if not 3 <= x.ndim <= 5 or y.ndim != x.ndim or facts.parameters or y.shape[:2] != x.shape[:2]:
        return
    factors = {b / a for a, b in zip(x.shape[2:], y.shape[2:], strict=True)}
    if len(factors) == 1 and (factor := factors.pop()) == int(factor) > 1:
        for mode in ({3: "linear", 4: "bilinear", 5: "trilinear"}[x.ndim], "nearest"):
            yield {"scale_factor": int(factor), "mode": mode}


def _undone(space: int) -> Callable[[Facts], Iterable[Arguments]]:
    def sizes(facts: Facts) -> Iterable[Arguments]:
        x, y = facts.inputs[0], next(iter(facts.outputs.values()))
        count = sum(p.numel() for p in facts.parameters.values())
        if x.ndim != space + 2 or y.ndim != x.ndim or not count or y.shape[0] != x.shape[0]:
            return
        inside, outside = x.shape[1], y.shape[1]
        for k, groups, bias in itertools.product(range(1, 12), (1, inside), (True, False)):
            if outside % groups or inside * (outside // groups) * k**space + bias * outside != count:
                continue
            for stride in (1, 2, 3, 4):
                totals = {needed(b, a, k, stride) for a, b in zip(x.shape[2:], y.shape[2:], strict=True)}
                if len(totals) == 1 and 0 <= (total := totals.pop()) <= 2 * k:
                    yield {"in_channels": inside, "out_channels": outside, "kernel_size": k, "stride": stride,
                           "padding": (total + 1) // 2, "output_padding": total % 2, "groups": groups,
                           "bias": bias}  # fmt: skip
            if groups == inside == 1:
                break

    return sizes


_CUTS = (
    Variant("end", "what is too much is cut off at the end alone instead of both sides"),
    Variant("beginning", "what is too much is cut off at the beginning alone instead of both sides"),
    Variant("odd at the beginning", "the odd element is cut off at the beginning instead of the end"),
)
_GRIDS = (
    Variant("asymmetric", "the grid is asymmetric: sample i stands at i·scale, neither half a pixel further nor with "
            "the corners aligned"),
    Variant("corners", "corners are aligned (align_corners=True)", True),
    Variant("beyond", "beyond the outermost samples it extrapolates instead of repeating them"),
    Variant("end", "the grid is shifted: sample i stands at the end of its pixel"),
    Variant("zeros", "zeros are put between the samples instead of interpolated values"),
    Variant("round", "the grid is that of half pixels, rounded"),
)  # fmt: skip
DEFINITIONS = (
    Definition("reflection padding", pad, "torch.nn.ReflectionPad1d", ("reflectionpad", "reflectionpad1d",
               "reflectionpad2d", "reflectpad", "mirrorpad"), "torch.nn.ReflectionPad{n}d", (1,), _wider, deviations={
                   "form": (Variant("symmetric", "it is symmetric padding: the edge is repeated, and stands there "
                                    "twice"),
                            Variant("turned", "it is turned in sign about the edge: 2·x[0] - x[i]"),
                            Variant("replicate", "the edge is repeated instead of mirrored"),
                            Variant("circular", "it wraps round instead of mirroring"),
                            Variant("zeros", "it pads with zeros instead of mirroring")),
                   "which": (Variant("exchanged", "left and right are exchanged"),)}),
    Definition("interpolation", interpolate, "torch.nn.Upsample", ("upsample", "interpolate", "interpolation",
               "upsampling"), "torch.nn.Upsample", (1,), _larger, deviations={"grid": _GRIDS}),
    Definition("1d transposed convolution", ConvTranspose1d, "torch.nn.ConvTranspose1d", ("convtranspose1d",
               "transposedconv1d", "deconv1d"), "torch.nn.ConvTranspose1d", (1,), _undone(1),
               deviations={"cut": _CUTS}),
    Definition("2d transposed convolution", ConvTranspose2d, "torch.nn.ConvTranspose2d", ("convtranspose2d",
               "transposedconv2d", "deconv2d"), "torch.nn.ConvTranspose2d", (1,), _undone(2),
               deviations={"cut": _CUTS}),
)  # fmt: skip
