"""Softmax, its logarithm and its kin, over a dimension."""

import math

import torch
from torch import Tensor

from verifykit.identify.definitions.definition import Definition, Number, Variant


def softmax(
    x: Tensor,
    *,
    dim: int = -1,
    temperature: float = 1.0,
    scale: str = "divide",
    form: str = "softmax",
    eps: float = 1e-8,
) -> Tensor:
    """exp(x / temperature) over its sum along ``dim``; Goodfellow, Bengio and Courville 2016, eq. 4.1."""
    z = x / temperature if scale == "divide" else x * temperature
    powers = (torch.exp2 if form == "base 2" else torch.exp)(z - z.amax(dim, keepdim=True))
    if form == "off by one":
        return torch.softmax(torch.cat([z, torch.zeros_like(z.narrow(dim, 0, 1))], dim), dim).narrow(
            dim, 0, x.shape[dim]
        )
    if form == "unshifted":
        raw = torch.exp(z)
        return raw / (raw.sum(dim, keepdim=True) + eps)
    if form == "eps":
        return powers / (powers.sum(dim, keepdim=True) + eps)
    if form == "sigmoid":
        return torch.sigmoid(z)
    if form == "linear":
        return z / z.sum(dim, keepdim=True)
    if form == "whole":
        return torch.softmax(z.flatten(), 0).view_as(z)
    if form == "minus":
        return torch.softmax(-z, dim)
    if form == "maximum":
        return powers / powers.amax(dim, keepdim=True)
    if form == "norm":
        return powers / powers.square().sum(dim, keepdim=True).sqrt()
    if form == "mean":
        return powers / powers.mean(dim, keepdim=True)
    return powers / powers.sum(dim, keepdim=True)


def log_softmax(x: Tensor, *, dim: int = -1, form: str = "softmax", base: str = "e", eps: float = 1e-8) -> Tensor:
    """log of :func:`softmax`; torch.nn.LogSoftmax."""
    found = torch.log_softmax(x, dim) if form == "softmax" else softmax(x, dim=dim, form=form).log()
    if base == "eps":
        return (torch.softmax(x, dim) + eps).log()
    if base == "unlogged":
        return x - torch.softmax(x, dim).sum(dim, keepdim=True)
    if base == "maximum":
        return x - x.amax(dim, keepdim=True)
    return found / math.log({"2": 2, "10": 10}.get(base, math.e))


def logsumexp(x: Tensor, *, dim: int = -1, keepdim: bool = False, form: str = "sum") -> Tensor:
    """log of the sum of exp(x) along ``dim``; torch.logsumexp."""
    whole = torch.logsumexp(x, dim, keepdim=keepdim)
    if form == "mean":
        return whole - torch.log(x.new_tensor(float(x.shape[dim])))
    if form == "no maximum":
        return whole - x.amax(dim, keepdim=keepdim)
    return whole / torch.log(x.new_tensor(2.0)) if form == "base 2" else whole


_FORMS = (
    Variant("base 2", "2 is raised to the scores instead of e"),
    Variant("whole", "it is taken over all elements instead of one dimension"),
    Variant("minus", "the sign of the scores is turned"),
    Variant("maximum", "it divides by the greatest exponential instead of their sum"),
    Variant("norm", "it divides by the norm of the exponentials instead of their sum"),
    Variant("mean", "it divides by the mean of the exponentials instead of their sum"),
    Variant("off by one", "one is added to the sum of exponentials", True),
    Variant("eps", "eps is added to the sum of exponentials"),
    Variant("sigmoid", "it is a sigmoid of each score instead of a softmax over them"),
    Variant("linear", "scores are divided by their sum, without the exponential"),
    Variant("unshifted", "eps is added to the sum of exponentials, the maximum not subtracted"),
)
_DIMS = (-1, 1, 0, 2, -3)
_EPS = Number((1e-8,), 0.0, 0.01, ("epsilon",))

DEFINITIONS = (
    Definition(
        "softmax", softmax, "Goodfellow, Bengio and Courville 2016, Deep Learning, eq. 4.1", ("softmax", "softargmax"),
        "torch.nn.Softmax", conventions={"dim": _DIMS},
        numbers={"temperature": Number((1.0,), 0.0, 100.0, ("tau", "temp", "t")), "eps": _EPS},
        deviations={"form": _FORMS, "scale": (Variant("multiply", "the temperature multiplies instead of dividing"),)},
    ),
    Definition(
        "log-softmax", log_softmax, "torch.nn.LogSoftmax", ("logsoftmax",), "torch.nn.LogSoftmax",
        numbers={"eps": _EPS}, conventions={"dim": _DIMS}, deviations={"form": _FORMS[:6], "base": (
            Variant("2", "the logarithm is to base 2"), Variant("10", "the logarithm is to base 10"),
            Variant("eps", "eps is added inside the logarithm"),
            Variant("maximum", "the maximum is subtracted instead of the logarithm of the sum"),
            Variant("unlogged", "the sum is subtracted without its logarithm"))},
    ),
    Definition(
        "log-sum-exp", logsumexp, "torch.logsumexp", ("logsumexp",), "torch.logsumexp",
        conventions={"dim": _DIMS, "keepdim": (False, True)}, deviations={"form": (
            Variant("mean", "it is the logarithm of the mean of the exponentials instead of their sum"),
            Variant("no maximum", "the maximum that was subtracted is not added again"),
            Variant("base 2", "the logarithm is to base 2"))},
    ),
)  # fmt: skip
