"""Divergences between distributions, entropy, and likelihoods of real targets."""

import math

import torch
from torch import Tensor

from verifykit.identify.definitions.definition import Definition, Number, Variant
from verifykit.identify.definitions.reducing import reduced

GIVEN = (("logs", "probabilities"), ("probabilities", "probabilities"), ("logits", "logits"), ("logits",
    "probabilities"),
         ("logs", "logs"))  # fmt: skip
REDUCTIONS = ("batchmean", "mean", "sum", "none")


def kl(
    input: Tensor, target: Tensor, *, given: tuple[str, str] = GIVEN[0], reduction: str = "batchmean", form: str = "kl",
    dim: int = -1, temperature: float = 1.0,
) -> Tensor:  # fmt: skip
    """sum target * (log target - log input), KL(target || input); Kullback and Leibler 1951, torch.nn.KLDivLoss."""
    q, p = (
        logs(t / temperature if kind == "logits" else t, kind, dim)
        for t, kind in zip((input, target), given, strict=True)
    )
    if form == "turned":
        q, p = p, q
    pointwise = {
        "cross": lambda: -p.exp() * q,
        "symmetric": lambda: (p.exp() - q.exp()) * (p - q) / 2,
        "jeffreys": lambda: (p.exp() - q.exp()) * (p - q),
        "minus": lambda: p.exp() * (q - p),
        "input": lambda: q.exp() * (p - q),
        "base 2": lambda: p.exp() * (p - q) / math.log(2),
        "target to base 2": lambda: p.exp() * (p / math.log(2) - q),
        "eps": lambda: p.exp() * ((p.exp() + 1e-8).log() - (q.exp() + 1e-8).log()),
        "no temperature": lambda: p.exp() * (p - q),
    }.get(form, lambda: p.exp() * (p - q))()
    scale = temperature**2 if form != "no temperature" and temperature != 1 else 1.0
    if form == "single":
        scale = temperature
    if form == "rows":
        return pointwise.sum(dim).mean()
    return scale * (pointwise.sum(dim) if reduction == "rows" else reduced(pointwise, reduction))


def js(
    input: Tensor, target: Tensor, *, given: tuple[str, str] = GIVEN[1], reduction: str = "batchmean", form: str = "js",
    dim: int = -1,
) -> Tensor:  # fmt: skip
    """(KL(p || m) + KL(q || m)) / 2 with m = (p + q) / 2; Lin 1991, eq. 4.1."""
    q, p = (logs(t, kind, dim) for t, kind in zip((input, target), given, strict=True))
    m = ((p.exp() + q.exp()) / 2).log()
    if form == "mean of logarithms":
        m = (p + q) / 2
    elif form == "sum":
        m = (p.exp() + q.exp()).log()
    left, right = p.exp() * (p - m), q.exp() * (q - m)
    if form == "turned":
        left, right = m.exp() * (m - p), m.exp() * (m - q)
    elif form == "one":
        right = left
    whole = left + right if form == "no half" else (left + right) / 2
    whole = whole / math.log(2) if form == "base 2" else whole
    if form == "root":
        return whole.sum(dim).sqrt().mean()
    return whole.sum(dim) if reduction == "rows" else reduced(whole, reduction)


def logs(t: Tensor, kind: str, dim: int) -> Tensor:
    """Log-probabilities of what is given as probabilities, logits, or already so."""
    return t.log_softmax(dim) if kind == "logits" else t.log() if kind == "probabilities" else t


def entropy(
    input: Tensor, *, given: str = "logits", reduction: str = "mean", form: str = "entropy", dim: int = -1
) -> Tensor:
    """-sum p log p; Shannon 1948, section 6."""
    q = logs(input, given, dim)
    whole = -(q.exp() * q).sum(dim)
    if form == "elements":
        whole = -(q.exp() * q)
    scale = {"base 2": 1 / math.log(2), "minus": -1.0, "normalised": 1 / math.log(max(input.shape[dim], 2))}.get(
        form, 1.0
    )
    return reduced(scale * whole, reduction)


def poisson_nll(
    input: Tensor,
    target: Tensor,
    *,
    log_input: bool = True,
    eps: float = 1e-8,
    reduction: str = "mean",
    form: str = "poisson",
) -> Tensor:
    """exp(input) - target * input, or input - target * log(input + eps); torch.nn.PoissonNLLLoss."""
    rate = input.exp() if log_input else input
    log = input if log_input else (input + eps).log()
    return reduced({
        "poisson": lambda: rate - target * log,
        "no rate": lambda: -target * log,
        "plus": lambda: rate + target * log,
        "factorial": lambda: rate - target * log + torch.lgamma(target + 1),
        "exp": lambda: input - target * input.exp().log1p(),
        "base 2": lambda: rate - target * log / math.log(2),
        "base 10": lambda: rate - target * log / math.log(10),
        "deviance": lambda: 2 * (torch.xlogy(target, target) - target * log - target + rate),
    }[form](), reduction)  # fmt: skip


def gaussian_nll(
    input: Tensor, target: Tensor, var: Tensor, *, given: str = "variance", eps: float = 1e-6, reduction: str = "mean",
    full: bool = False, form: str = "gaussian",
) -> Tensor:  # fmt: skip
    """(log var + (input - target)^2 / var) / 2, var clamped at eps; Nix and Weigend 1994, torch.nn.GaussianNLLLoss."""
    v = {"variance": lambda: var.clamp_min(eps), "log": lambda: var.exp(), "deviation": lambda: var.square()}[given]()
    d = (input - target).square()
    whole = {
        "no half": lambda: v.log() + d / v,
        "log deviation": lambda: v.log() + d / (2 * v),
        "deviation": lambda: (v.log() + d / v.sqrt()) / 2,
        "not squared": lambda: (v.log() + d.sqrt() / v) / 2,
        "no logarithm": lambda: d / v / 2,
        "root": lambda: v.sqrt().log() / 2 + d / v / 2,
        "added": lambda: ((v + eps).log() + d / (v + eps)) / 2,
        "multiplied": lambda: (v.log() + d * v) / 2,
        "square of variance": lambda: (v.log() + d / v.square()) / 2,
    }.get(form, lambda: (v.log() + d / v) / 2)()
    return reduced(whole + math.log(2 * math.pi) / 2 if full else whole, reduction)


def gaussian_kl(mean: Tensor, log_var: Tensor, *, reduction: str = "batchmean", form: str = "kl") -> Tensor:
    """-sum(1 + log_var - mean^2 - exp(log_var)) / 2; Kingma and Welling 2013, appendix B."""
    inner = 1 + log_var - mean.square() - log_var.exp()
    whole = {
        "no half": lambda: -inner,
        "plus": lambda: inner / 2,
        "no one": lambda: -(inner - 1) / 2,
        "deviation": lambda: -(1 + 2 * log_var - mean.square() - (2 * log_var).exp()) / 2,
        "half deviation": lambda: -(1 + log_var - mean.square() - (log_var / 2).exp()) / 2,
        "not squared": lambda: -(1 + log_var - mean.abs() - log_var.exp()) / 2,
    }.get(form, lambda: -inner / 2)()
    return reduced(whole, reduction)


_BASE2 = Variant("base 2", "the logarithm is to base 2")
_VARIANCE_EPS = Number((1e-6, 1e-8), 0.0, 0.1, ("epsilon",))
DEFINITIONS = (
    Definition(
        "Kullback-Leibler divergence", kl,
            "Kullback and Leibler 1951, On Information and Sufficiency; torch.nn.KLDivLoss",
        ("kldiv", "kl", "kldivergence", "kullbackleibler", "kullbackleiblerdivergence", "distillation",
         "knowledgedistillation", "kd"), "torch.nn.KLDivLoss", (2,),
        conventions={"given": GIVEN, "reduction": (*REDUCTIONS, "rows"), "dim": (-1, 1)},
        numbers={"temperature": Number((1.0,), 0.0, 100.0, ("t", "tau", "temp"))},
        deviations={"form": (
            Variant("turned", "it is KL(input || target) instead of KL(target || input)"),
            Variant("rows", "it is averaged over all rows", True),
            Variant("cross", "the entropy of the target is left out: it is the cross entropy"),
            Variant("symmetric", "it is the mean of both directions"), Variant("jeffreys",
                "it is the sum of both directions"),
            Variant("minus", "its sign is turned"), _BASE2,
            Variant("target to base 2", "the logarithm of the target is to base 2, that of the input is not"),
            Variant("no temperature", "it is not multiplied by the square of the temperature", True),
            Variant("single", "it is multiplied by the temperature instead of its square"),
            Variant("eps", "1e-8 is added inside the logarithms", True))},
    ),
    Definition(
        "Jensen-Shannon divergence", js, "Lin 1991, Divergence Measures Based on the Shannon Entropy, eq. 4.1",
        ("jsd", "js", "jsdiv", "jsdivergence", "jensenshannon", "jensenshannondivergence"), "", (2,),
        conventions={"given": (GIVEN[1], GIVEN[2], GIVEN[4]), "reduction": (*REDUCTIONS, "rows")},
        deviations={"form": (
            Variant("no half", "the two divergences are added instead of averaged"), _BASE2,
            Variant("mean of logarithms", "the mixture is the mean of the logarithms instead of the probabilities"),
            Variant("sum", "the mixture is not halved"), Variant("one", "only one of the two divergences is taken"),
            Variant("turned", "the divergences are KL(m || p) and KL(m || q), the other way round"),
            Variant("root", "the root is taken, which is the distance", True))},
    ),
    Definition(
        "entropy", entropy, "Shannon 1948, A Mathematical Theory of Communication, section 6",
        ("entropy", "shannonentropy", "entropyminimization", "minentropy"),
        conventions={"given": ("logits", "probabilities", "logs"), "reduction": ("mean", "sum", "none"), "dim": (-1,
            1)},
        deviations={"form": (_BASE2, Variant("minus", "its sign is turned"), Variant("elements",
                    "it is averaged over classes as well"), Variant("normalised", "it is divided by log n", True))},
    ),
    Definition(
        "Poisson negative log-likelihood", poisson_nll, "torch.nn.PoissonNLLLoss", ("poissonnll", "poisson"),
        "torch.nn.PoissonNLLLoss", (2,), numbers={"eps": Number((1e-8,), 0.0, 0.1, ("epsilon",))},
        conventions={"log_input": (True, False), "reduction": ("mean", "sum", "none")}, deviations={"form": (
            Variant("no rate", "the rate is left out"), Variant("plus", "the sign of the second term is turned"),
            Variant("base 2", "the logarithm is to base 2"), Variant("base 10", "the logarithm is to base 10"),
            Variant("deviance", "it is the deviance: twice the difference from that of a perfect prediction", True),
            Variant("factorial", "the logarithm of the factorial is added", True))},
    ),
    Definition(
        "Gaussian negative log-likelihood", gaussian_nll, "Nix and Weigend 1994; torch.nn.GaussianNLLLoss",
        ("gaussiannll", "gaussiannegativeloglikelihood", "normalnll", "heteroscedastic"), "torch.nn.GaussianNLLLoss",
            (3,),
        numbers={"eps": _VARIANCE_EPS}, conventions={
            "given": ("variance", "log", "deviation"), "full": (False, True), "reduction": ("mean", "sum", "none")},
        deviations={"form": (
            Variant("no half", "the factor 1/2 is left out"),
            Variant("log deviation", "log var lacks the factor 1/2"),
            Variant("root", "log var is halved twice"),
            Variant("deviation", "squares are divided by the standard deviation instead of the variance"),
            Variant("square of variance", "the variance is squared"),
            Variant("not squared", "differences are not squared"), Variant("no logarithm", "log var is left out"),
            Variant("multiplied", "squares are multiplied by the variance instead of divided"),
            Variant("added", "eps is added to the variance, where it is to clamp it", True))},
    ),
    Definition(
        "KL divergence from the standard normal", gaussian_kl,
            "Kingma and Welling 2013, Auto-Encoding Variational Bayes, B",
        ("gaussiankl", "vaekl", "klnormal", "gaussiankldivergence"), "", (2,),
        conventions={"reduction": REDUCTIONS}, deviations={"form": (
            Variant("no half", "the factor 1/2 is left out"), Variant("plus", "its sign is turned"),
            Variant("no one", "the 1 is left out"), Variant("not squared", "the mean is not squared"),
            Variant("deviation", "log var is taken for the logarithm of the standard deviation"),
            Variant("half deviation", "exp(log_var) is the standard deviation instead of the variance"))},
    ),
)  # fmt: skip
