"""Smooth activations: GELU, SiLU, Mish, ELU and SELU, softplus and its kin."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from verifykit.identify.definitions.definition import Definition, Number, Variant


def gelu(x: Tensor, *, form: str = "exact") -> Tensor:
    """x * Phi(x); Hendrycks and Gimpel 2016, "Gaussian Error Linear Units", section 2."""
    cubic = x + 0.044715 * x**3
    if form == "exact":
        return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))
    if form == "sigmoid":
        return x * torch.sigmoid(1.702 * x)
    if form == "erf":
        return 0.5 * x * (1 + torch.erf(x))
    if form == "logistic":
        return x * torch.sigmoid(x)
    if form == "density":
        return x * torch.exp(-x.square() / 2) / math.sqrt(2 * math.pi)
    factor = {"tanh": math.sqrt(2 / math.pi), "cubic": math.sqrt(2 / math.pi), "2/pi": 2 / math.pi,
              "pi/2": math.sqrt(math.pi / 2), "square": math.sqrt(2 / math.pi),
                  "half": math.sqrt(2 / math.pi)}[form]  # fmt: skip
    inner = {"cubic": x, "square": x + 0.044715 * x**2}.get(form, cubic)
    return (1.0 if form == "half" else 0.5) * x * (1 + torch.tanh(factor * inner))


def silu(x: Tensor, *, beta: float = 1.0, gate: str = "sigmoid") -> Tensor:
    """x * sigmoid(beta * x); Ramachandran, Zoph and Le 2017, "Searching for Activation Functions", section 4."""
    gates = {
        "sigmoid": lambda: torch.sigmoid(beta * x),
        "tanh": lambda: torch.tanh(beta * x),
        "hard": lambda: F.relu6(x + 3) / 6,
        "minus": lambda: torch.sigmoid(-beta * x),
        "outside": lambda: beta * torch.sigmoid(x),
    }
    return x * gates[gate]()


def mish(x: Tensor, *, form: str = "mish") -> Tensor:
    """x * tanh(softplus(x)); Misra 2019, "Mish", eq. 1."""
    return {
        "mish": lambda: x * torch.tanh(F.softplus(x, threshold=math.inf)),
        "sigmoid": lambda: x * torch.sigmoid(F.softplus(x, threshold=math.inf)),
        "exchanged": lambda: x * F.softplus(torch.tanh(x), threshold=math.inf),
        "bare": lambda: torch.tanh(F.softplus(x, threshold=math.inf)),
        "base 2": lambda: x * torch.tanh(F.softplus(x, threshold=math.inf) / math.log(2)),
        "exp": lambda: x * torch.tanh(torch.exp(x)),
    }[form]()


def elu(x: Tensor, *, alpha: float = 1.0, negative: str = "elu") -> Tensor:
    """x where positive, alpha * (exp(x) - 1) elsewhere; Clevert, Unterthiner and Hochreiter 2015, eq. 15."""
    below = x.clamp_max(0)
    values = {
        "elu": lambda: alpha * torch.expm1(below),
        "celu": lambda: alpha * torch.expm1(below / alpha),
        "plain": lambda: alpha * torch.exp(below),
        "outside": lambda: alpha * torch.exp(below) - 1,
        "inside": lambda: torch.expm1(alpha * below),
    }
    return torch.where(x > 0, x, values[negative]())


def celu(x: Tensor, *, alpha: float = 1.0, negative: str = "celu") -> Tensor:
    """max(0, x) + min(0, alpha * (exp(x / alpha) - 1)); Barron 2017, "Continuously Differentiable ELUs"."""
    return elu(x, alpha=alpha, negative=negative)


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def selu(x: Tensor, *, form: str = "selu") -> Tensor:
    """scale * (x where positive, alpha * (exp(x) - 1) elsewhere); Klambauer et al. 2017, eq. 2 and 14."""
    alpha, scale = (SELU_SCALE, SELU_ALPHA) if form == "exchanged" else (SELU_ALPHA, SELU_SCALE)
    positive = x if form in ("negative", "unscaled") else scale * x
    factor = alpha if form in ("positive", "unscaled") else scale if form == "no alpha" else scale * alpha
    below = x.clamp_max(0)
    return torch.where(x > 0, positive, factor * (torch.exp(below) if form == "plain" else torch.expm1(below)))


def softplus(x: Tensor, *, beta: float = 1.0, threshold: float = 20.0, form: str = "softplus") -> Tensor:
    """log(1 + exp(beta * x)) / beta, x itself where beta * x exceeds threshold; torch.nn.Softplus."""
    whole = F.softplus(x, beta, threshold)
    return {
        "softplus": lambda: whole,
        "no quotient": lambda: whole * beta,
        "no product": lambda: F.softplus(x, 1.0, threshold) / beta,
        "base 2": lambda: whole / math.log(2),
        "minus": lambda: F.softplus(-x, beta, threshold),
        "doubled": lambda: torch.log1p(2 * torch.exp(beta * x)) / beta,
    }[form]()


def sigmoid(x: Tensor, *, form: str = "sigmoid") -> Tensor:
    """1 / (1 + exp(-x)); torch.nn.Sigmoid."""
    return {
        "sigmoid": lambda: torch.sigmoid(x),
        "minus": lambda: torch.sigmoid(-x),
        "tanh": lambda: 0.5 * (1 + torch.tanh(x)),
        "base 2": lambda: 1 / (1 + torch.exp2(-x)),
    }[form]()


def softsign(x: Tensor, *, form: str = "softsign") -> Tensor:
    """x / (1 + |x|); torch.nn.Softsign."""
    below = {"softsign": lambda: x.abs(), "square": lambda: x.square(), "root": lambda: x.square().sqrt() * x.abs()}
    return x / (1 + below[form]())


def snake(x: Tensor, *, alpha: float = 1.0, form: str = "snake") -> Tensor:
    """x + sin(alpha * x)^2 / alpha; Ziyin, Hartwig and Ueda 2020, eq. 3."""
    wave = torch.sin(alpha * x)
    return x + {"snake": wave**2 / alpha, "no quotient": wave**2, "not squared": wave / alpha}[form]


def _variants(**phrases: str) -> tuple[Variant, ...]:
    return tuple(Variant(name.replace("_", " "), phrase) for name, phrase in phrases.items())


LOG_2 = "the logarithm is to base 2"
DEFINITIONS = (
    Definition(
        "GELU", gelu, "Hendrycks and Gimpel 2016, Gaussian Error Linear Units, section 2",
        ("gelu", "gaussianerrorlinearunit", "gaussianerrorlinearunits"), "torch.nn.GELU",
        deviations={"form": (
            Variant("tanh", "it is the tanh approximation of GELU", True),
            Variant("sigmoid", "it is the sigmoid approximation of GELU, x·sigmoid(1.702·x)"),
            *_variants(erf="erf(x) is taken instead of erf(x/√2)", logistic="x·sigmoid(x), which is SiLU",
                       cubic="the tanh approximation without its cubic term", density="the normal density is taken "
                       "instead of the distribution function", half="the tanh approximation without the factor 1/2",
                       square="the tanh approximation with a square for the cube"),
            Variant("2/pi", "the tanh approximation with 2/π instead of √(2/π)"),
            Variant("pi/2", "the tanh approximation with √(π/2) instead of √(2/π)"),
        )},
    ),
    Definition(
        "SiLU", silu, "Ramachandran, Zoph and Le 2017, Searching for Activation Functions, section 4",
        ("silu", "swish", "sigmoidlinearunit"), "torch.nn.SiLU", numbers={"beta": Number((1.0,), 0.0, 100.0)},
        deviations={"gate": _variants(
            tanh="tanh is taken instead of the sigmoid", hard="the sigmoid is relu6(x + 3)/6, as in Hardswish",
            minus="sigmoid(-x) is taken instead of sigmoid(x)", outside="beta multiplies outside the sigmoid")},
    ),
    Definition(
        "Mish", mish, "Misra 2019, Mish, eq. 1", ("mish",), "torch.nn.Mish",
        deviations={"form": _variants(
            sigmoid="sigmoid is taken instead of tanh", exchanged="softplus and tanh are exchanged",
            bare="the factor x is left out", base_2=LOG_2, exp="exp is taken instead of softplus")},
    ),
    Definition(
        "ELU", elu, "Clevert, Unterthiner and Hochreiter 2015, Exponential Linear Units, eq. 15",
        ("elu", "exponentiallinearunit"), "torch.nn.ELU", numbers={"alpha": Number((1.0,), 0.0, 100.0)},
        deviations={"negative": _variants(
            celu="x is divided by alpha inside the exponential, as in CELU",
            plain="the - 1 beside the exponential is left out",
                outside="alpha multiplies the exponential alone, not the - 1",
            inside="alpha multiplies x inside the exponential")},
    ),
    Definition(
        "CELU", celu, "Barron 2017, Continuously Differentiable Exponential Linear Units, eq. 2",
        ("celu",), "torch.nn.CELU", numbers={"alpha": Number((1.0,), 0.0, 100.0)},
        deviations={"negative": _variants(
            elu="x is not divided by alpha inside the exponential, as in ELU",
            plain="the - 1 beside the exponential is left out",
                outside="alpha multiplies the exponential alone, not the - 1",
            inside="x is multiplied by alpha inside the exponential, and the factor alpha is left out")},
    ),
    Definition(
        "SELU", selu, "Klambauer et al. 2017, Self-Normalizing Neural Networks, eq. 2 and 14",
        ("selu", "scaledexponentiallinearunit"), "torch.nn.SELU",
        deviations={"form": _variants(
            negative="the scale is left out on the positive side",
                positive="the scale is left out on the negative side",
            unscaled="the scale is left out", exchanged="alpha and the scale are exchanged",
            no_alpha="alpha is left out", plain="the - 1 beside the exponential is left out")},
    ),
    Definition(
        "softplus", softplus, "torch.nn.Softplus", ("softplus",), "torch.nn.Softplus",
        numbers={"beta": Number((1.0,), 0.0, 100.0)}, conventions={"threshold": (20.0, math.inf)},
        deviations={"form": _variants(
            no_quotient="the result is not divided by beta", no_product="x is not multiplied by beta", base_2=LOG_2,
            minus="the sign of x is turned", doubled="log(1 + 2·exp(x)) is taken instead of log(1 + exp(x))")},
    ),
    Definition(
        "sigmoid", sigmoid, "torch.nn.Sigmoid", ("sigmoid", "logistic"), "torch.nn.Sigmoid",
        deviations={"form": _variants(minus="the sign of x is turned", base_2="2 is raised to -x instead of e",
                                      tanh="tanh(x) is taken instead of tanh(x/2)")},
    ),
    Definition(
        "softsign", softsign, "torch.nn.Softsign", ("softsign",), "torch.nn.Softsign",
        deviations={"form": _variants(square="x² is added to one instead of |x|",
            root="x² is added to one instead of |x|")},
    ),
    Definition(
        "Snake", snake, "Ziyin, Hartwig and Ueda 2020, Neural Networks Fail to Learn Periodic Functions, eq. 3",
        ("snake",), numbers={"alpha": Number((1.0,), 0.0, 1000.0, ("a",))},
        deviations={"form": _variants(no_quotient="the square of the sine is not divided by alpha",
                                      not_squared="the sine is not squared")},
    ),
)  # fmt: skip
