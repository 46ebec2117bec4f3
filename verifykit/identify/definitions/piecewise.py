"""Activations made of straight pieces, and gates of two halves."""

import torch
from torch import Tensor
from torch.nn import functional as F

from verifykit.identify.definitions.definition import Definition, Number, Variant


def leaky_relu(x: Tensor, *, negative_slope: float = 0.01, form: str = "leaky") -> Tensor:
    """x where positive, negative_slope * x elsewhere; Maas, Hannun and Ng 2013, eq. 3."""
    low, high = {
        "leaky": (negative_slope, 1.0),
        "both": (negative_slope, 1 - negative_slope),
        "positive": (1.0, negative_slope),
        "minus": (-negative_slope, 1.0),
        "reciprocal": (1 / negative_slope, 1.0),
        "added": (negative_slope, 1 + negative_slope),
    }[form]
    return torch.where(x > 0, high * x, low * x)


def hardsigmoid(x: Tensor, *, form: str = "sixth") -> Tensor:
    """relu6(x + 3) / 6; Howard et al. 2019, "Searching for MobileNetV3", section 5.2."""
    slope, middle, most = {
        "sixth": (1 / 6, 0.5, 1.0),
        "keras": (0.2, 0.5, 1.0),
        "quarter": (0.25, 0.5, 1.0),
        "half": (0.5, 0.5, 1.0),
        "no shift": (1 / 6, 0.0, 1.0),
        "no quotient": (1.0, 3.0, 6.0),
        "third": (1 / 3, 1.0, 2.0),
    }[form]
    return (slope * x + middle).clamp(0, most)


def hardswish(x: Tensor, *, form: str = "sixth") -> Tensor:
    """x * relu6(x + 3) / 6; Howard et al. 2019, "Searching for MobileNetV3", section 5.2."""
    return x * (F.relu(x + 3) / 6 if form == "no top" else hardsigmoid(x, form=form))


def relu6(x: Tensor, *, form: str = "relu6") -> Tensor:
    """min(max(0, x), 6); Krizhevsky 2010, "Convolutional Deep Belief Networks on CIFAR-10"."""
    return {"relu6": lambda: x.clamp(0, 6), "no top": lambda: x.clamp_min(0), "one": lambda: x.clamp(0, 1)}[form]()


def squared_relu(x: Tensor, *, form: str = "square") -> Tensor:
    """max(0, x)^2; So et al. 2021, "Primer", section 4."""
    return {"square": lambda: F.relu(x) ** 2, "inside": lambda: F.relu(x**2), "sign": lambda: x * x.abs()}[form]()


def glu(x: Tensor, *, dim: int = -1, halves: str = "second", gate: str = "sigmoid") -> Tensor:
    """a * gate(b) for the two halves a, b of ``dim``; Dauphin et al. 2017, eq. 1."""
    a, b = x.chunk(2, dim)
    if halves == "first":
        a, b = b, a
    elif halves == "interleaved":
        a, b = (x.movedim(dim, -1)[..., half::2].movedim(-1, dim) for half in (0, 1))
    opened: Tensor = {
        "sigmoid": lambda: b.sigmoid(),
        "tanh": lambda: b.tanh(),
        "silu": lambda: F.silu(b),
        "gelu": lambda: F.gelu(b),
        "relu": lambda: b.relu(),
        "none": lambda: b,
        "both": lambda: b.sigmoid(),
    }[gate]()
    return (a.tanh() if gate == "both" else a) * opened


def swiglu(x: Tensor, *, halves: str = "first", dim: int = -1) -> Tensor:
    """silu(a) * b; Shazeer 2020, "GLU Variants Improve Transformer", eq. 6, without its weights."""
    return glu(x, dim=dim, halves=halves, gate="silu")


def geglu(x: Tensor, *, halves: str = "first", dim: int = -1) -> Tensor:
    """gelu(a) * b; Shazeer 2020, "GLU Variants Improve Transformer", eq. 6, without its weights."""
    return glu(x, dim=dim, halves=halves, gate="gelu")


_SIGMOIDS = (
    Variant("keras", "the hard sigmoid is clip(0.2·x + 0.5), that of Keras", True),
    Variant("quarter", "the hard sigmoid is clip(x/4 + 1/2)"),
    Variant("half", "the hard sigmoid is clip(x/2 + 1/2)"),
    Variant("no shift", "x is not shifted by 3"),
    Variant("no quotient", "it is not divided by 6"),
    Variant("third", "it divides by 3 instead of 6"),
)

DEFINITIONS = (
    Definition(
        "leaky ReLU", leaky_relu, "Maas, Hannun and Ng 2013, Rectifier Nonlinearities, eq. 3",
        ("leakyrelu", "leakyrectifiedlinearunit", "lrelu"), "torch.nn.LeakyReLU",
        numbers={"negative_slope": Number((0.01, 0.1, 0.2), 0.0, 1.0, ("slope", "alpha", "leak"))},
        deviations={"form": (
            Variant("positive", "the slope is applied to the positive side"),
            Variant("minus", "the sign of the slope is turned"),
            Variant("reciprocal", "it divides by the slope on the negative side"),
            Variant("both", "the positive side is scaled by one minus the slope"),
            Variant("added", "the slope is added on the positive side as well"),
        )},
    ),
    Definition("hard sigmoid", hardsigmoid, "Howard et al. 2019, Searching for MobileNetV3, section 5.2",
               ("hardsigmoid",), "torch.nn.Hardsigmoid", deviations={"form": _SIGMOIDS}),
    Definition("Hardswish", hardswish, "Howard et al. 2019, Searching for MobileNetV3, section 5.2",
               ("hardswish", "hardsilu", "hswish"), "torch.nn.Hardswish",
               deviations={"form": (*_SIGMOIDS, Variant("no top", "the gate is not cut off at one"))}),
    Definition("ReLU6", relu6, "Krizhevsky 2010, Convolutional Deep Belief Networks on CIFAR-10", ("relu6",),
               "torch.nn.ReLU6", deviations={"form": (
                   Variant("no top", "it is not cut off at 6"), Variant("one", "it is cut off at 1 instead of 6"))}),
    Definition("squared ReLU", squared_relu, "So et al. 2021, Primer, section 4",
               ("squaredrelu", "relusquared", "relu2", "squarerelu"), deviations={"form": (
                   Variant("inside", "it is squared before the ReLU, which then does nothing"),
                   Variant("sign", "negative values are squared as well and keep their sign"))}),
    Definition(
        "gated linear unit", glu, "Dauphin et al. 2017, Language Modeling with Gated Convolutional Networks, eq. 1",
        ("glu", "gatedlinearunit"), "torch.nn.GLU", conventions={"dim": (-1, 1)},
        deviations={
            "halves": (Variant("first", "the first half is the gate"),
                       Variant("interleaved", "even and odd features are taken for halves")),
            "gate": (Variant("tanh", "the gate is tanh instead of the sigmoid"), Variant("silu", "the gate is SiLU"),
                     Variant("gelu", "the gate is GELU"), Variant("relu", "the gate is ReLU"),
                     Variant("none", "the gate has no sigmoid"), Variant("both", "tanh is applied to the other half")),
        },
    ),
    Definition("SwiGLU", swiglu, "Shazeer 2020, GLU Variants Improve Transformer, eq. 6", ("swiglu",),
               conventions={"dim": (-1, 1), "halves": ("first", "second")}),
    Definition("GEGLU", geglu, "Shazeer 2020, GLU Variants Improve Transformer, eq. 6", ("geglu",),
               conventions={"dim": (-1, 1), "halves": ("second", "first")}),
)  # fmt: skip
