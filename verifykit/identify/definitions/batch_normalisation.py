"""Batch normalisation, with the running statistics that it keeps."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from verifykit.identify.definitions.definition import Arguments, Definition, Number, Variant
from verifykit.identify.definitions.normalisation import EPS, ORDER, SPREAD, affine, spread, standardised
from verifykit.identify.facts import Facts


class BatchNorm(nn.BatchNorm1d):
    """Ioffe and Szegedy 2015, "Batch Normalization", algorithms 1 and 2; torch.nn.BatchNorm1d, 2d and 3d."""

    def __init__(
        self, num_features: int, *, order: str = "weight first", eps: float = 1e-5, momentum: float = 0.1,
        affine: bool = True, track_running_stats: bool = True, exchanged: bool = False, tracked: str = "unbiased",
        evaluation: str = "running", over: str = "batch", **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats)
        self.order, self.exchanged, self.tracked, self.over = order, exchanged, tracked, over
        self.rate, self.evaluation, self.options = momentum, evaluation, options

    def forward(self, input: Tensor) -> Tensor:
        dims = [0] if self.over == "batch alone" else [d for d in range(input.ndim) if d != 1]
        shape = (1, -1) + (1,) * (input.ndim - 2)
        held = [None if p is None else p.view(shape) for p in (self.weight, self.bias)]
        mean, variance = self.running_mean, self.running_var
        if self.training and mean is not None and variance is not None:
            rate = 1 - self.rate if self.exchanged else self.rate
            every = [d for d in range(input.ndim) if d != 1]
            with torch.no_grad():
                mean.lerp_(input.mean(every), rate)
                variance.lerp_(input.var(every, correction=int(self.tracked == "unbiased")), rate)
        if self.training or mean is None or variance is None or self.evaluation == "batch":
            return affine(standardised(input, dims, self.eps, **self.options), held[0], held[1], self.order)
        root = spread(variance.view(shape), self.eps, self.options.get("eps_place", "inside"),
                      self.options.get("divisor", "deviation"))  # fmt: skip
        return affine((input - mean.view(shape)) / root, held[0], held[1], self.order)


def _channels(facts: Facts) -> Iterable[Arguments]:
    x, held = facts.inputs[0], sum(p.numel() for p in facts.parameters.values())
    if x.ndim >= 2 and x.shape[0] > 1 and held in (0, 2 * x.shape[1]):
        yield {"num_features": x.shape[1], "affine": held > 0, "track_running_stats": bool(facts.running)}


DEFINITIONS = (
    Definition(
        "batch normalisation",
        BatchNorm,
        "Ioffe and Szegedy 2015, Batch Normalization, algorithms 1 and 2",
        ("batchnorm", "batchnormalization", "bn", "batchnorm1d", "batchnorm2d", "batchnorm3d"),
        "torch.nn.BatchNorm{n}d",
        sizes=_channels,
        numbers={"eps": EPS, "momentum": Number((0.1,), 0.0, 1.0)},
        deviations={
            **SPREAD,
            "exchanged": (Variant(True, "momentum weighs the old running statistics instead of the new ones"),),
            "tracked": (Variant("biased", "the running variance is biased (divided by n instead of n - 1)", True),),
            "evaluation": (Variant("batch", "it uses statistics of the batch in eval mode as well"),),
            "over": (Variant("batch alone", "it is normalised over the batch alone, not over space as well"),),
            "order": ORDER,
        },
    ),
)
