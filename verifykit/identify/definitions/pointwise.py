"""Elementary functions of one variable, with what goes wrong in their signs, scales and edges."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from verifykit.identify.definitions.definition import Definition, Number, Variant


def tanh(x: Tensor, *, form: str = "tanh") -> Tensor:
    """(exp(x) - exp(-x)) / (exp(x) + exp(-x)); torch.nn.Tanh."""
    return {
        "lecun": lambda: 1.7159 * torch.tanh(2 / 3 * x),
        "lecun unscaled": lambda: torch.tanh(2 / 3 * x),
        "half": lambda: torch.tanh(x / 2),
        "sigmoid": lambda: 2 * torch.sigmoid(x) - 1,
        "minus": lambda: torch.tanh(-x),
        "hard": lambda: x.clamp(-1, 1),
        "shrink": lambda: x - torch.tanh(x),
        "square": lambda: torch.tanh(x).square(),
        "gate": lambda: x * torch.tanh(x),
        "sinh": lambda: torch.sinh(x),
    }.get(form, lambda: torch.tanh(x))()


def logsigmoid(x: Tensor, *, eps: float = 1e-8, form: str = "plain") -> Tensor:
    """log(1 / (1 + exp(-x))); torch.nn.LogSigmoid."""
    return {
        "eps": lambda: (torch.sigmoid(x) + eps).log(),
        "clamp": lambda: torch.sigmoid(x).clamp_min(eps).log(),
        "both": lambda: torch.sigmoid(x).clamp(eps, 1 - eps).log(),
        "minus": lambda: -F.logsigmoid(x),
        "turned": lambda: F.logsigmoid(-x),
        "base 2": lambda: F.logsigmoid(x) / math.log(2),
    }.get(form, lambda: F.logsigmoid(x))()


def softshrink(x: Tensor, *, lambd: float = 0.5, form: str = "soft") -> Tensor:
    """x moved by lambd towards zero; torch.nn.Softshrink."""
    size = F.relu(x.abs() - lambd)
    return {
        "unsigned": lambda: size,
        "positive": lambda: F.relu(x - lambd),
        "hard": lambda: torch.where(x.abs() > lambd, x, torch.zeros_like(x)),
        "grown": lambda: torch.where(x.abs() > lambd, x + lambd * x.sign(), torch.zeros_like(x)),
        "minus": lambda: torch.where(x.abs() > lambd, x - lambd, torch.zeros_like(x)),
        "square": lambda: x.sign() * size.square(),
        "outside": lambda: torch.where(x.abs() < lambd, x, lambd * x.sign()),
    }.get(form, lambda: x.sign() * size)()


def hardshrink(x: Tensor, *, lambd: float = 0.5, form: str = "hard") -> Tensor:
    """x where |x| exceeds lambd, else 0; torch.nn.Hardshrink."""
    zero = torch.zeros_like(x)
    return {
        "positive": lambda: torch.where(x > lambd, x, zero),
        "unsigned": lambda: torch.where(x.abs() > lambd, x.abs(), zero),
        "inside": lambda: torch.where(x.abs() < lambd, x, zero),
        "squared": lambda: torch.where(x.square() > lambd, x, zero),
        "sign": lambda: torch.where(x.abs() > lambd, x.sign(), zero),
        "soft": lambda: x.sign() * F.relu(x.abs() - lambd),
    }.get(form, lambda: torch.where(x.abs() > lambd, x, zero))()


def hardtanh(x: Tensor, *, min_val: float = -1.0, max_val: float = 1.0, form: str = "both") -> Tensor:
    """x cut off at min_val and max_val; torch.nn.Hardtanh."""
    return {"below": lambda: x.clamp_min(min_val), "above": lambda: x.clamp_max(max_val),
            "zero": lambda: torch.where((x < min_val) | (x > max_val), torch.zeros_like(x), x)}.get(
        form, lambda: x.clamp(min_val, max_val)
    )()  # fmt: skip


def relu(x: Tensor, *, form: str = "relu") -> Tensor:
    """max(0, x); torch.nn.ReLU."""
    return {
        "minus": lambda: F.relu(-x),
        "minimum": lambda: x.clamp_max(0),
        "absolute": lambda: x.abs(),
        "root": lambda: F.relu(x).sqrt(),
        "logarithm": lambda: F.relu(x).log1p(),
        "sign": lambda: (x > 0).to(x),
        "shifted": lambda: x.clamp_min(-1),
        "smooth": lambda: (x + (x.square() + 1).sqrt()) / 2,
    }.get(form, lambda: F.relu(x))()


_HALF = Number((0.5,), 0.0, 100.0, ("lambda_", "lam", "threshold", "lmbda", "tau"))
DEFINITIONS = (
    Definition("tanh", tanh, "torch.nn.Tanh", ("tanh", "scaledtanh", "lecuntanh"), "torch.nn.Tanh",
               deviations={"form": (
        Variant("lecun", "it is scaled as LeCun has it: 1.7159·tanh(2/3·x)", True),
        Variant("lecun unscaled", "the input is scaled by 2/3"),
        Variant("half", "the input is halved: it is 2·sigmoid(x) - 1"), Variant("minus", "the sign of x is turned"),
        Variant("hard", "x is cut off at -1 and 1"), Variant("shrink", "it is subtracted from x, as in Tanhshrink"),
        Variant("square", "it is squared"), Variant("gate", "it is multiplied by x"),
        Variant("sinh", "it is sinh: not divided by cosh"))}),
    Definition("log-sigmoid", logsigmoid, "torch.nn.LogSigmoid", ("logsigmoid",), "torch.nn.LogSigmoid",
               deviations={"form": (
                   Variant("minus", "its sign is turned"), Variant("turned", "the sign of x is turned"),
                   Variant("base 2", "the logarithm is to base 2"))}),
    Definition("log-sigmoid", logsigmoid, "torch.nn.LogSigmoid", ("logsigmoid",), "torch.nn.LogSigmoid",
               numbers={"eps": Number((1e-8, 1e-7, 1e-6), 0.0, 0.1, ("epsilon",))}, deviations={"form": (
                   Variant("eps", "eps is added inside the logarithm"),
                   Variant("clamp", "the sigmoid is clamped at eps inside the logarithm"),
                   Variant("both", "the sigmoid is clamped at eps and 1 - eps inside the logarithm"))}),
    Definition("Softshrink", softshrink, "torch.nn.Softshrink", ("softshrink", "softthreshold", "softthresholding"),
               "torch.nn.Softshrink", numbers={"lambd": _HALF}, deviations={"form": (
                   Variant("unsigned", "the sign is dropped: it is the magnitude alone"),
                   Variant("positive", "negative values are all set to zero"),
                   Variant("minus", "lambd is subtracted on the negative side as well"),
                   Variant("grown", "lambd is added to the magnitude instead of subtracted"),
                   Variant("square", "the magnitude that is left is squared"))}),
    Definition("Hardshrink", hardshrink, "torch.nn.Hardshrink", ("hardshrink", "hardthreshold"), "torch.nn.Hardshrink",
               numbers={"lambd": _HALF}, deviations={"form": (
                   Variant("positive", "negative values are all set to zero"),
                   Variant("unsigned", "the sign is dropped: it is the magnitude alone"),
                   Variant("inside", "what lies within lambd is kept, instead of what lies outside"),
                   Variant("squared", "the square of x is held against lambd"),
                   Variant("sign", "it is the sign alone"))}),
    Definition("Hardtanh", hardtanh, "torch.nn.Hardtanh", ("hardtanh", "clamp", "clip"), "torch.nn.Hardtanh", numbers={
        "min_val": Number((-1.0, 0.0), -100.0, 100.0, ("min", "low", "lower")),
        "max_val": Number((1.0,), -100.0, 100.0, ("max", "high", "upper"))}, deviations={"form": (
            Variant("below", "it is not cut off above"), Variant("above", "it is not cut off below"),
            Variant("zero", "what lies outside is set to zero instead of the edge"))}),
    Definition("ReLU", relu, "torch.nn.ReLU", ("relu", "rectifiedlinearunit", "rectifier"), "torch.nn.ReLU",
               deviations={"form": (
                   Variant("minus", "the sign of x is turned"), Variant("minimum", "it is the minimum of x and zero"),
                   Variant("absolute", "it is the absolute value: negative values are turned"),
                   Variant("root", "its root is taken"), Variant("logarithm", "log(1 + x) is taken of it"),
                   Variant("sign", "it is 1 where x is positive"),
                   Variant("shifted", "it is cut off at -1 instead of 0"),
                   Variant("smooth", "it is smooth: (x + √(x² + 1))/2"))}),
)  # fmt: skip
