"""Losses of real predictions held against real targets."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from verifykit.identify.definitions.definition import Definition, Number, Variant
from verifykit.identify.definitions.reducing import MEAN_SUM_NONE, reduced


def huber(input: Tensor, target: Tensor, *, delta: float = 1.0, reduction: str = "mean", form: str = "huber") -> Tensor:
    """d^2 / 2 where |d| <= delta, delta * (|d| - delta / 2) elsewhere; Huber 1964, as torch.nn.HuberLoss."""
    d = (input - target).abs()
    inner, outer = d.square() / 2, delta * (d - delta / 2)
    edge = delta
    if form == "unscaled":
        outer = d - delta / 2
    elif form == "smooth":
        inner, outer = inner / delta, outer / delta
    elif form == "no half":
        inner = d.square()
    elif form == "doubled":
        inner, outer = d.square(), 2 * outer
    elif form == "no offset":
        outer = delta * d
    elif form == "whole offset":
        outer = delta * (d - delta)
    elif form == "halved offset":
        outer = delta * d - delta / 2
    elif form == "quadratic outside":
        inner, outer = outer, inner
    elif form == "squared edge":
        edge = delta**2
    elif form == "bare":
        outer = d
    elif form in ("pseudo", "pseudo unscaled"):
        inner = outer = (delta**2 if form == "pseudo" else 1.0) * ((1 + (d / delta).square()).sqrt() - 1)
    return reduced(torch.where(d <= edge, inner, outer), reduction)


def smooth_l1(
    input: Tensor, target: Tensor, *, beta: float = 1.0, reduction: str = "mean", form: str = "smooth"
) -> Tensor:
    """d^2 / (2 beta) where |d| < beta, |d| - beta / 2 elsewhere; Girshick 2015, eq. 3, as torch.nn.SmoothL1Loss."""
    d = (input - target).abs()
    inner, outer = d.square() / (2 * beta), d - beta / 2
    if form == "huber":
        inner, outer = inner * beta, outer * beta
    elif form == "unscaled":
        inner = inner * beta
    elif form == "no half":
        inner = 2 * inner
    elif form == "no offset":
        outer = d
    elif form == "half offset":
        outer = d - 0.5
    elif form == "multiplied":
        inner = d.square() * beta / 2
    return reduced(torch.where(d < beta, inner, outer), reduction)


def log_cosh(input: Tensor, target: Tensor, *, reduction: str = "mean", form: str = "log-cosh") -> Tensor:
    """log(cosh(input - target)); Chen, Han and Zhang 2019, "Log Hyperbolic Cosine Loss"."""
    d = input - target
    whole = d + F.softplus(-2 * d, threshold=math.inf) - math.log(2)
    shift = {"log 2": math.log(2), "base 2": 0.0}.get(form, 0.0)
    if form == "log1p":
        return reduced(torch.log1p(torch.cosh(d)), reduction)
    if form == "eps":
        return reduced(torch.log(torch.cosh(d + 1e-12)), reduction)
    return reduced((whole + shift) / (math.log(2) if form == "base 2" else 1.0), reduction)


def quantile(
    input: Tensor, target: Tensor, *, quantile: float = 0.5, reduction: str = "mean", form: str = "pinball"
) -> Tensor:
    """max(q * e, (q - 1) * e) for e = target - input; Koenker and Bassett 1978, eq. 3."""
    e = target - input
    q = quantile
    if form == "turned":
        e = -e
    over, under = q * e, (q - 1) * e
    if form == "absolute":
        over, under = q * e, -q * e
    elif form == "doubled":
        over, under = 2 * over, 2 * under
    return reduced(torch.minimum(over, under) if form == "minimum" else torch.maximum(over, under), reduction)


def charbonnier(
    input: Tensor, target: Tensor, *, eps: float = 1e-3, reduction: str = "mean", form: str = "root"
) -> Tensor:
    """sqrt(d^2 + eps^2); Lai et al. 2017, "Deep Laplacian Pyramid Networks", section 3.3."""
    d = input - target
    return reduced({
        "root": lambda: (d.square() + eps**2).sqrt(),
        "eps": lambda: (d.square() + eps).sqrt(),
        "shifted": lambda: (d.square() + eps**2).sqrt() - eps,
        "scaled": lambda: ((d / eps).square() + 1).sqrt(),
        "outside": lambda: d.abs() + eps,
    }[form](), reduction)  # fmt: skip


def wing(
    input: Tensor, target: Tensor, *, w: float = 10.0, epsilon: float = 2.0, reduction: str = "mean", form: str = "wing"
) -> Tensor:
    """w * ln(1 + |d| / epsilon) where |d| < w, |d| - C elsewhere; Feng et al. 2018, eq. 5."""
    d = (input - target).abs()
    c = w - w * math.log(1 + w / epsilon)
    inner = w * torch.log1p(d / epsilon) / (math.log(2) if form == "base 2" else 1.0)
    outer = {"no constant": d, "added": d + c}.get(form, d - c)
    return reduced(torch.where(d < (epsilon if form == "edge" else w), inner, outer), reduction)


def rmse(input: Tensor, target: Tensor, *, eps: float = 0.0, form: str = "root") -> Tensor:
    """sqrt(mean((input - target)^2)), eps added to the mean."""
    square = (input - target).square()
    if form == "each":
        return (square + eps).sqrt().mean()
    if form == "sample":
        return square.mean(-1).sqrt().mean() if square.ndim else square.sqrt()
    if form == "sum":
        return square.sum().sqrt()
    return square.mean() if form == "square" else (square.mean() + eps).sqrt()


def msle(input: Tensor, target: Tensor, *, reduction: str = "mean", form: str = "log1p") -> Tensor:
    """(log(1 + input) - log(1 + target))^2, averaged."""
    d = input.log() - target.log() if form == "log" else input.log1p() - target.log1p()
    if form == "base 2":
        d = d / math.log(2)
    return reduced(d.abs() if form == "absolute" else d.square(), reduction)


def mse(input: Tensor, target: Tensor, *, reduction: str = "mean", form: str = "square") -> Tensor:
    """(input - target)^2; torch.nn.MSELoss."""
    square = (input - target).square()
    if form == "first":
        return square.sum(-1).mean() if square.ndim else square
    if form == "root":
        return square.mean().sqrt()
    if form == "batch":
        return square.sum() / square.shape[0] if square.ndim else square
    return reduced(square / 2 if form == "half" else square, reduction)


def l1(input: Tensor, target: Tensor, *, reduction: str = "mean", form: str = "absolute") -> Tensor:
    """|input - target|; torch.nn.L1Loss."""
    d = (input - target).abs()
    if form == "batch":
        return d.sum() / d.shape[0] if d.ndim else d
    return reduced({"absolute": d, "signed": input - target, "relative": d / target.abs()}[form], reduction)


_NO_HALF = "the factor 1/2 of the square is left out"
DELTA = Number((1.0,), 0.0, 1000.0, ("beta", "threshold", "d", "thresh"))
R = {"reduction": MEAN_SUM_NONE}
DEFINITIONS = (
    Definition("Huber loss", huber, "Huber 1964, as torch.nn.HuberLoss", ("huber",), "torch.nn.HuberLoss", (2,),
               numbers={"delta": DELTA}, conventions=R, deviations={"form": (
                   Variant("unscaled", "the linear part is not scaled by delta"),
                   Variant("pseudo", "it is the pseudo-Huber loss, smooth everywhere: δ²·(√(1 + (d/δ)²) - 1)", True),
                   Variant("pseudo unscaled", "it is the pseudo-Huber loss, smooth everywhere, without its factor δ²"),
                   Variant("smooth", "it is divided by delta, which is smooth L1"), Variant("no half", _NO_HALF),
                   Variant("doubled", "it is twice the Huber loss"),
                   Variant("no offset", "the linear part lacks its offset, -delta²/2"),
                   Variant("whole offset", "the linear part is offset by delta² instead of delta²/2"),
                   Variant("halved offset", "the linear part is offset by delta/2 instead of delta²/2"),
                   Variant("quadratic outside", "the quadratic and the linear part are exchanged"),
                   Variant("squared edge", "it turns linear at delta² instead of delta"),
                   Variant("bare", "the linear part is |d|, neither scaled nor offset")) }),
    Definition("smooth L1 loss", smooth_l1, "Girshick 2015, Fast R-CNN, eq. 3", ("smoothl1",), "torch.nn.SmoothL1Loss",
               (2,), numbers={"beta": Number((1.0,), 0.0, 1000.0, ("delta", "threshold"))}, conventions=R,
               deviations={"form": (
                   Variant("huber", "it is multiplied by beta, which is the Huber loss"),
                   Variant("unscaled", "the quadratic part is not divided by beta"), Variant("no half", _NO_HALF),
                   Variant("no offset", "the linear part lacks its offset, -beta/2"),
                   Variant("half offset", "the linear part is offset by 1/2 instead of beta/2"),
                   Variant("multiplied", "beta multiplies the quadratic part instead of dividing it")) }),
    Definition("log-cosh loss", log_cosh, "Chen, Han and Zhang 2019, Log Hyperbolic Cosine Loss",
               ("logcosh", "logcoshine"), takes=(2,), conventions=R, deviations={"form": (
                   Variant("log 2", "log 2 is not subtracted: it is not zero where the two agree"),
                   Variant("base 2", "the logarithm is to base 2"),
                   Variant("log1p", "log(1 + cosh) is taken instead of log(cosh)"),
                   Variant("eps", "1e-12 is added to the difference", True)) }),
    Definition("quantile loss", quantile, "Koenker and Bassett 1978, Regression Quantiles, eq. 3",
               ("quantile", "pinball", "quantileregression"), takes=(2,), conventions=R,
               numbers={"quantile": Number((0.5,), 0.0, 1.0, ("q", "tau", "alpha"))}, deviations={"form": (
                   Variant("turned", "the quantile weighs predictions that are too high instead of too low"),
                   Variant("absolute", "both sides are weighted by the quantile"),
                   Variant("doubled", "it is twice the quantile loss"),
                   Variant("minimum", "the minimum of the two sides is taken instead of the maximum")) }),
    Definition("Charbonnier loss", charbonnier, "Lai et al. 2017, Deep Laplacian Pyramid Networks, section 3.3",
               ("charbonnier",), takes=(2,), conventions=R, numbers={"eps": Number((1e-3, 1e-6, 1.0), 0.0, 2.0,
                   ("epsilon",))},
               deviations={"form": (
                   Variant("eps", "eps is added to the square instead of eps²", True),
                   Variant("shifted", "eps is subtracted, so that it starts at zero", True),
                   Variant("scaled", "it is divided by eps"),
                   Variant("outside", "eps is added outside the root, which leaves |d| + eps")) }),
    Definition("Wing loss", wing, "Feng et al. 2018, Wing Loss for Robust Facial Landmark Localisation, eq. 5",
               ("wing",), takes=(2,), conventions=R, numbers={"w": Number((10.0,), 0.0, 1000.0, ("width", "omega")),
               "epsilon": Number((2.0,), 0.0, 1000.0, ("eps", "curvature"))}, deviations={"form": (
                   Variant("no constant", "the constant that joins the two parts is left out"),
                   Variant("added", "the constant that joins the two parts is added instead of subtracted"),
                   Variant("base 2", "the logarithm is to base 2"),
                   Variant("edge", "it turns linear at epsilon instead of w")) }),
    Definition("root mean square error", rmse, "the root of torch.nn.MSELoss", ("rmse", "rootmeansquareerror",
               "rootmeansquarederror"), takes=(2,), numbers={"eps": Number((0.0,), 0.0, 0.01, ("epsilon",))},
               deviations={"form": (
                   Variant("each", "the root is taken of each element before the mean"),
                   Variant("sample", "the root is taken of each sample before the mean"),
                   Variant("sum", "the root is taken of the sum instead of the mean"),
                   Variant("square", "the root is left out")) }),
    Definition("mean squared logarithmic error", msle, "sklearn.metrics.mean_squared_log_error",
               ("msle", "meansquaredlogerror", "meansquaredlogarithmicerror"), takes=(2,), conventions=R,
               deviations={"form": (
                   Variant("log", "log(x) is taken instead of log(1 + x)"), Variant("base 2",
                       "the logarithm is to base 2"),
                   Variant("absolute", "differences are not squared")) }),
    Definition("mean squared error", mse, "torch.nn.MSELoss", ("mse", "meansquarederror", "meansquareerror", "l2"),
               "torch.nn.MSELoss", (2,), conventions=R, deviations={"form": (
                   Variant("half", "it is halved", True), Variant("root", "the root is taken"),
                   Variant("first", "it is summed over the last dimension before the mean", True),
                   Variant("batch", "the sum is divided by the batch size alone", True)) }),
    Definition("mean absolute error", l1, "torch.nn.L1Loss", ("l1", "mae", "meanabsoluteerror"), "torch.nn.L1Loss",
               (2,), conventions=R, deviations={"form": (
                   Variant("signed", "the sign of differences is kept"),
                   Variant("relative", "differences are divided by the target"),
                   Variant("batch", "the sum is divided by the batch size alone", True)) }),
)  # fmt: skip
