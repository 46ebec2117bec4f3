"""What moves elements without changing them, and sums along a dimension."""

from collections.abc import Iterable

import torch
from torch import Tensor

from verifykit.identify.definitions.definition import Arguments, Definition, Variant
from verifykit.identify.facts import Facts


def pixel_shuffle(x: Tensor, *, upscale_factor: int, order: str = "channel first") -> Tensor:
    """(N, C r^2, H, W) to (N, C, H r, W r); Shi et al. 2016, "Real-Time Single Image Super-Resolution", eq. 4."""
    r, (n, c, h, w) = upscale_factor, x.shape
    c = c // r**2
    if order in ("channel last", "last and exchanged"):
        parts = x.reshape(n, r, r, c, h, w).permute(0, 3, 1, 2, 4, 5)
    else:
        parts = x.reshape(n, c, r, r, h, w)
    if order in ("exchanged", "last and exchanged"):
        parts = parts.transpose(2, 3)
    elif order == "turned":
        parts = parts.flip(2, 3)
    elif order == "blocks":
        return parts.permute(0, 1, 2, 4, 3, 5).reshape(n, c, h * r, w * r)
    elif order == "viewed":
        return x.reshape(n, c, h * r, w * r)
    return parts.permute(0, 1, 4, 2, 5, 3).reshape(n, c, h * r, w * r)


def pixel_unshuffle(x: Tensor, *, downscale_factor: int, order: str = "channel first") -> Tensor:
    """The inverse of :func:`pixel_shuffle`; torch.nn.PixelUnshuffle."""
    r, (n, c, h, w) = downscale_factor, x.shape
    if order == "blocks":
        parts = x.reshape(n, c, r, h // r, r, w // r).permute(0, 1, 2, 4, 3, 5)
    else:
        parts = x.reshape(n, c, h // r, r, w // r, r).permute(0, 1, 3, 5, 2, 4)
    if order in ("exchanged", "last and exchanged"):
        parts = parts.transpose(2, 3)
    if order in ("channel last", "last and exchanged"):
        parts = parts.permute(0, 2, 3, 1, 4, 5)
    return parts.reshape(n, c * r * r, h // r, w // r)


def channel_shuffle(x: Tensor, *, groups: int, order: str = "groups first") -> Tensor:
    """Channels of ``groups`` groups taken in turn; Zhang et al. 2018, "ShuffleNet", section 3.1."""
    n, c = x.shape[:2]
    size = (groups, c // groups) if order == "groups first" else (c // groups, groups)
    return x.reshape(n, *size, *x.shape[2:]).transpose(1, 2).reshape(x.shape)


def flatten(x: Tensor, *, start_dim: int = 1, order: str = "channels first") -> Tensor:
    """Dimensions from ``start_dim`` on as one; torch.nn.Flatten."""
    kept = list(range(start_dim))
    rest = list(range(start_dim, x.ndim))
    moved = {"channels last": [*rest[1:], *rest[:1]], "reversed": rest[::-1], "first last": [*rest[-1:], *rest[:-1]],
             "transposed": [*rest[:-2], *rest[-2:][::-1]]}.get(order, rest)  # fmt: skip
    return x.permute(*kept, *moved).flatten(start_dim)


def cumsum(x: Tensor, *, dim: int = -1, form: str = "sum", direction: str = "forward") -> Tensor:
    """The sums of all elements up to each along ``dim``; torch.cumsum."""
    if direction == "backward":
        return cumsum(x.flip(dim), dim=dim, form=form).flip(dim)
    whole = x.cumsum(dim)
    if form == "exclusive":
        return whole - x
    if form == "mean":
        shape = [1] * x.ndim
        shape[dim] = -1
        return whole / torch.arange(1, x.shape[dim] + 1, dtype=x.dtype, device=x.device).view(shape)
    return {"half": lambda: whole - x / 2, "squares": lambda: x.square().cumsum(dim),
            "absolute": lambda: x.abs().cumsum(dim)}.get(form, lambda: whole)()  # fmt: skip


def cumprod(x: Tensor, *, dim: int = -1, form: str = "product", direction: str = "forward") -> Tensor:
    """The products of all elements up to each along ``dim``; torch.cumprod."""
    if direction == "backward":
        return cumprod(x.flip(dim), dim=dim, form=form).flip(dim)
    whole = x.cumprod(dim)
    if form == "exclusive":
        first = torch.ones_like(x.narrow(dim, 0, 1))
        return torch.cat([first, whole.narrow(dim, 0, x.shape[dim] - 1)], dim)
    return whole


def _upscaled(facts: Facts) -> Iterable[Arguments]:
    x, y = facts.inputs[0], next(iter(facts.outputs.values()))
    if x.ndim == y.ndim == 4 and not facts.parameters and y.shape[2] > x.shape[2]:
        r = y.shape[2] // x.shape[2]
        if y.shape == (x.shape[0], x.shape[1] // r**2, x.shape[2] * r, x.shape[3] * r) and x.shape[1] % r**2 == 0:
            yield {"upscale_factor": r}


def _downscaled(facts: Facts) -> Iterable[Arguments]:
    x, y = facts.inputs[0], next(iter(facts.outputs.values()))
    if x.ndim == y.ndim == 4 and not facts.parameters and 0 < y.shape[2] < x.shape[2]:
        r = x.shape[2] // y.shape[2]
        if y.shape == (x.shape[0], x.shape[1] * r**2, x.shape[2] // r, x.shape[3] // r):
            yield {"downscale_factor": r}


def _shuffled(facts: Facts) -> Iterable[Arguments]:
    x, y = facts.inputs[0], next(iter(facts.outputs.values()))
    if x.shape == y.shape and x.ndim >= 3 and not facts.parameters:
        yield from ({"groups": g} for g in range(2, x.shape[1]) if x.shape[1] % g == 0)


def _flattened(facts: Facts) -> Iterable[Arguments]:
    x, y = facts.inputs[0], next(iter(facts.outputs.values()))
    if 1 <= y.ndim < x.ndim and not facts.parameters and y.numel() == x.numel() and y.ndim >= 1:
        yield {"start_dim": y.ndim - 1}


def _alike(facts: Facts) -> Iterable[Arguments]:
    x, y = facts.inputs[0], next(iter(facts.outputs.values()))
    if x.shape == y.shape and x.ndim and not facts.parameters and x.is_floating_point():
        yield {}


_ORDERS = (
    Variant("channel last", "channels are in the order of TensorFlow's depth to space: the channel varies fastest, not "
            "the place within a block"),
    Variant("exchanged", "the order of channels is another: rows and columns of a block are exchanged"),
    Variant("last and exchanged", "the order of channels is another: the channel varies fastest, and rows and columns "
            "of a block are exchanged"),
    Variant("turned", "the order of channels is reversed within each block"),
    Variant("blocks", "the order is another: channels make whole images side by side instead of the pixels of a block"),
    Variant("viewed", "it is merely viewed in the new shape: channels are not interleaved with pixels"),
)  # fmt: skip
_BACKWARD = Variant("backward", "it runs from the end: along the dimension reversed")
_EXCLUSIVE = Variant("exclusive", "it is exclusive: the element itself is left out, and all is shifted by one")
DEFINITIONS = (
    Definition("pixel shuffle", pixel_shuffle, "Shi et al. 2016, Real-Time Super-Resolution, eq. 4", ("pixelshuffle",
               "depthtospace"), "torch.nn.PixelShuffle", (1,), _upscaled, deviations={"order": _ORDERS}),
    Definition("pixel unshuffle", pixel_unshuffle, "torch.nn.PixelUnshuffle", ("pixelunshuffle", "spacetodepth"),
               "torch.nn.PixelUnshuffle", (1,), _downscaled, deviations={"order": (*_ORDERS[:3], _ORDERS[4])}),
    Definition("channel shuffle", channel_shuffle, "Zhang et al. 2018, ShuffleNet, section 3.1", ("channelshuffle",),
               "torch.nn.ChannelShuffle", (1,), _shuffled, deviations={"order": (
                   Variant("groups last", "the order is the inverse: as many channels to a group as there are to be "
                           "groups"),)}),
    Definition("flattening", flatten, "torch.nn.Flatten", ("flatten",), "torch.nn.Flatten", (1,), _flattened,
               deviations={"order": (
                   Variant("channels last", "dimensions are permuted first, to channels last"),
                   Variant("reversed", "the order of dimensions is reversed first (transposed)"),
                   Variant("first last", "the last dimension is permuted to the front first"),
                   Variant("transposed", "the last two dimensions are transposed first"))}),
    Definition("cumulative sum", cumsum, "torch.cumsum", ("cumsum", "cumulativesum", "prefixsum"), "torch.cumsum",
               (1,), _alike, conventions={"dim": (-1, 0, 1)}, deviations={
                   "form": (_EXCLUSIVE, Variant("mean", "it is the mean of the elements so far instead of their sum"),
                            Variant("half", "the element itself counts half"),
                            Variant("squares", "squares are summed"),
                            Variant("absolute", "absolute values are summed")),
                   "direction": (_BACKWARD,)}),
    Definition("cumulative product", cumprod, "torch.cumprod", ("cumprod", "cumulativeproduct"), "torch.cumprod",
               (1,), _alike, conventions={"dim": (-1, 0, 1)}, deviations={"form": (_EXCLUSIVE,),
                                                                      "direction": (_BACKWARD,)}),
)  # fmt: skip
