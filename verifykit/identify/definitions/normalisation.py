"""Normalisation over features: layer, root mean square, group and instance normalisation."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from torch import Tensor, nn

from verifykit.identify.definitions.definition import Arguments, Definition, Number, Variant
from verifykit.identify.facts import Facts

UNBIASED = Variant("unbiased", "the variance is unbiased (divided by n - 1 instead of n)")
OUTSIDE = Variant("outside", "eps is added to the standard deviation, outside the root")
CLAMP = Variant("clamp", "the standard deviation is clamped at eps, where eps is to be added to the variance")
NO_EPS = Variant("none", "eps is left out")
BY_VARIANCE = Variant("variance", "it divides by the variance instead of its root")
BY_DEVIATION = Variant("absolute", "it divides by the mean absolute deviation instead of the root of the variance")
SPREAD = {
    "variance": (UNBIASED,),
    "eps_place": (OUTSIDE, CLAMP, NO_EPS, Variant("squared", "eps is squared before it is added to the variance")),
    "divisor": (BY_VARIANCE, BY_DEVIATION),
}
EPS = Number((1e-5, 1e-6, 1e-8, 1e-12), 0.0, 0.1, ("epsilon", "variance_epsilon", "var_eps"))


def standardised(
    x: Tensor,
    dims: Sequence[int],
    eps: float,
    *,
    variance: str = "biased",
    eps_place: str = "inside",
    divisor: str = "deviation",
    centred: bool = True,
    subtracted: bool = True,
) -> Tensor:
    """(x - mean) / sqrt(variance + eps) over ``dims``; Ba, Kiros and Hinton 2016, section 3, written out."""
    mean = x.mean(tuple(dims), keepdim=True)
    about = x - mean if centred else x
    count = math.prod(x.shape[d] for d in dims) - (variance == "unbiased")
    square = about.square().sum(tuple(dims), keepdim=True) / count
    if divisor == "absolute":
        return (about if subtracted else x) / (about.abs().mean(tuple(dims), keepdim=True) + eps)
    return (about if subtracted else x) / spread(square, eps, eps_place, divisor)


def spread(square: Tensor, eps: float, eps_place: str, divisor: str = "deviation") -> Tensor:
    """The divisor that a variance makes: sqrt(variance + eps)."""
    if divisor == "variance":
        return square + eps
    if eps_place == "inside":
        return (square + eps).sqrt()
    if eps_place == "squared":
        return (square + eps**2).sqrt()
    root = square.sqrt()
    return root + eps if eps_place == "outside" else root.clamp_min(eps) if eps_place == "clamp" else root


def affine(x: Tensor, weight: Tensor | None, bias: Tensor | None, order: str) -> Tensor:
    """weight * x + bias."""
    if order == "bias first" and weight is not None and bias is not None:
        return (x + bias) * weight
    if weight is not None:
        x = x * (1 + weight if order == "one" else weight)
    return x if bias is None else x + bias


ORDER = (
    Variant("one", "the weight is applied as 1 + weight"),
    Variant("bias first", "the bias is added before the weight is applied"),
)


class LayerNorm(nn.LayerNorm):
    """Ba, Kiros and Hinton 2016, "Layer Normalization", eq. 3; torch.nn.LayerNorm."""

    def __init__(
        self, normalized_shape: tuple[int, ...], *, over: str = "features", order: str = "weight first",
        eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(normalized_shape, eps, elementwise_affine, bias)
        self.over, self.order, self.options = over, order, options

    def forward(self, input: Tensor) -> Tensor:
        features = tuple(range(-len(self.normalized_shape), 0))
        dims = {
            "features": features,
            "sample": tuple(range(1, input.ndim)),
            "all": tuple(range(input.ndim)),
            "batch": (0,),
            "second": (1,),
        }[self.over]
        return affine(standardised(input, dims, self.eps, **self.options), self.weight, self.bias, self.order)


class RMSNorm(nn.RMSNorm):
    """Zhang and Sennrich 2019, "Root Mean Square Layer Normalization", eq. 4; torch.nn.RMSNorm."""

    def __init__(
        self, normalized_shape: tuple[int, ...], *, order: str = "weight first", mean: str = "mean",
        eps: float = 1e-6, elementwise_affine: bool = True, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(normalized_shape, eps, elementwise_affine)
        self.order, self.mean, self.options = order, mean, options

    def forward(self, input: Tensor) -> Tensor:
        dims = tuple(range(-len(self.normalized_shape), 0))
        x = input
        if self.mean == "sum":
            x = x / x.square().sum(dims, keepdim=True).add(self.eps or 0.0).sqrt()
        else:
            self.options.setdefault("centred", False)
            x = standardised(x, dims, self.eps or 0.0, **self.options)
        return affine(x, self.weight, None, self.order)


class GroupNorm(nn.GroupNorm):
    """Wu and He 2018, "Group Normalization", eq. 1-5; torch.nn.GroupNorm."""

    def __init__(
        self, num_groups: int, num_channels: int, *, grouping: str = "contiguous", order: str = "weight first",
        eps: float = 1e-5, affine: bool = True, over: str = "group", **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(num_groups, num_channels, eps, affine)
        self.grouping, self.order, self.over, self.options = grouping, order, over, options

    each = False  # a group for each channel, however many there are

    def forward(self, input: Tensor) -> Tensor:
        n, c, *space = input.shape
        groups = c if self.each else self.num_groups
        size = c // groups
        if self.grouping == "interleaved":
            x, channel = input.reshape(n, size, groups, -1), 1
        else:
            x, channel = input.reshape(n, groups, size, -1), 2
        dims = (channel,) if self.over == "channels alone" else (channel, 3)
        x = standardised(x, dims, self.eps, **self.options).reshape(input.shape)
        shape = (c,) + (1,) * len(space)
        held = [None if p is None else p.view(shape) for p in (self.weight, self.bias)]
        return affine(x, held[0], held[1], self.order)


class InstanceNorm(GroupNorm):
    """Ulyanov, Vedaldi and Lempitsky 2016, "Instance Normalization", eq. 3: a group for each channel."""

    each = True

    def __init__(self, num_features: int, *, affine: bool = False, eps: float = 1e-5, **options: Any) -> None:
        super().__init__(num_features, num_features, affine=affine, eps=eps, **options)


def _trailing(facts: Facts) -> Iterable[Arguments]:
    """Shapes of the last dimensions, by what the number of parameters allows."""
    x, held = facts.inputs[0], sum(p.numel() for p in facts.parameters.values())
    for count in range(1, x.ndim):
        shape = tuple(x.shape[-count:])
        size = math.prod(shape)
        if held in (0, size, 2 * size) and size > 1:
            yield {"normalized_shape": shape, "elementwise_affine": held > 0, "bias": held == 2 * size}


def _root_sizes(facts: Facts) -> Iterable[Arguments]:
    for sizes in _trailing(facts):
        if not sizes["bias"] or not sizes["elementwise_affine"]:
            yield {name: value for name, value in sizes.items() if name != "bias"}


def _grouped(facts: Facts) -> Iterable[Arguments]:
    x, held = facts.inputs[0], sum(p.numel() for p in facts.parameters.values())
    if x.ndim < 2 or held not in (0, 2 * x.shape[1]):
        return
    for groups in range(1, x.shape[1] + 1):
        if x.shape[1] % groups == 0:
            yield {"num_groups": groups, "num_channels": x.shape[1], "affine": held > 0}


def _instances(facts: Facts) -> Iterable[Arguments]:
    x, held = facts.inputs[0], sum(p.numel() for p in facts.parameters.values())
    if x.ndim >= 3 and held in (0, 2 * x.shape[1]):
        yield {"num_features": x.shape[1], "affine": held > 0}


DEFINITIONS = (
    Definition(
        "layer normalisation",
        LayerNorm,
        "Ba, Kiros and Hinton 2016, Layer Normalization, eq. 3",
        ("layernorm", "layernormalization", "ln"),
        "torch.nn.LayerNorm",
        sizes=_trailing,
        numbers={"eps": EPS},
        deviations={
            **SPREAD,
            "centred": (
                Variant(False, "it divides by the root mean square, where the mean is to be subtracted first"),
            ),
            "subtracted": (Variant(False, "the mean is not subtracted"),),
            "over": (
                Variant("sample", "it is normalised over all dimensions of a sample instead of the features", True),
                Variant("batch", "it is normalised over the batch instead of the features"),
                Variant("second", "it is normalised over dimension 1 instead of the features"),
                Variant("all", "it is normalised over the whole batch instead of the features"),
            ),
            "order": ORDER,
        },
    ),
    Definition(
        "root mean square normalisation",
        RMSNorm,
        "Zhang and Sennrich 2019, Root Mean Square Layer Normalization, eq. 4",
        (
            "rmsnorm",
            "rmslayernorm",
            "rootmeansquarenorm",
            "rootmeansquarelayernorm",
            "rmsnormalization",
            "rootmeansquarenormalization",
            "rootmeansquarelayernormalization",
        ),
        "torch.nn.RMSNorm",
        sizes=_root_sizes,
        numbers={"eps": Number((1e-6, 1e-5, 1e-8, 1e-12, 2.220446049250313e-16, 0.0), 0.0, 0.1, EPS.names)},
        deviations={
            **SPREAD,
            "centred": (Variant(True, "the mean is subtracted first, as in layer normalisation"),),
            "mean": (Variant("sum", "it divides by the root of the sum of squares instead of their mean"),),
            "order": ORDER[:1],
        },
    ),
    Definition(
        "group normalisation",
        GroupNorm,
        "Wu and He 2018, Group Normalization, eq. 1-5",
        ("groupnorm", "groupnormalization", "gn"),
        "torch.nn.GroupNorm",
        sizes=_grouped,
        numbers={"eps": EPS},
        deviations={
            **SPREAD,
            "grouping": (Variant("interleaved", "channels are grouped in strides instead of runs of neighbours"),),
            "over": (Variant("channels alone", "it is normalised over channels alone, not over space as well"),),
            "order": ORDER,
        },
    ),
    Definition(
        "instance normalisation",
        InstanceNorm,
        "Ulyanov, Vedaldi and Lempitsky 2016, Instance Normalization, eq. 3",
        ("instancenorm", "instancenormalization", "instancenorm1d", "instancenorm2d", "instancenorm3d"),
        "torch.nn.InstanceNorm{n}d",
        sizes=_instances,
        numbers={"eps": EPS},
        deviations={**SPREAD, "order": ORDER},
    ),
)
