"""Binary cross entropy, of logits and of probabilities."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from verifykit.identify.definitions.definition import Definition, Number, Variant
from verifykit.identify.definitions.reducing import MEAN_SUM_NONE, reduced


def with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean", form: str = "both",
    class_weight: float = 2.0, eps: float = 1e-8,
) -> Tensor:  # fmt: skip
    """-(t log s(x) + (1 - t) log s(-x)) for the sigmoid s; torch.nn.BCEWithLogitsLoss."""
    p = input.sigmoid()
    if form in ("eps", "clamp"):
        return of_probabilities(p, target, weight, reduction=reduction, form=form, eps=eps)
    z = {"twice": p, "turned": -input}.get(form, input)
    return _entropy(F.logsigmoid(z), F.logsigmoid(-z), target, weight, reduction, form, class_weight)


def of_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean", form: str = "both",
    class_weight: float = 2.0, eps: float = 1e-8,
) -> Tensor:  # fmt: skip
    """-(t log p + (1 - t) log(1 - p)), logarithms clamped at -100; torch.nn.BCELoss."""
    if form in ("eps", "log1p eps"):
        yes, no = (input + eps).log(), ((1 - input) + eps).log()
    elif form == "clamp":
        inside = input.clamp(eps, 1 - eps)
        yes, no = inside.log(), (1 - inside).log()
    elif form == "clamp below":
        yes, no = input.clamp_min(eps).log(), (1 - input).clamp_min(eps).log()
    else:
        yes, no = input.log().clamp_min(-100), (1 - input).log().clamp_min(-100)
    return _entropy(yes, no, target, weight, reduction, form, class_weight)


def _entropy(
    yes: Tensor, no: Tensor, t: Tensor, weight: Tensor | None, reduction: str, form: str, class_weight: float
) -> Tensor:
    u = 1 - t
    if form in ("balanced", "balanced by batch"):
        share = t.mean() if form == "balanced" else t.mean(0)
        loss = -(u.mean() * t * yes + share * u * no)
    else:
        zero = torch.zeros_like(no)
        positive, negative = {
            "positive": (t * yes, zero),
            "negative": (zero, u * no),
            "exchanged": (u * yes, t * no),
            "minus": (t * yes, -u * no),
            "uncomplemented": (t * yes, u * yes),
            "positives": (class_weight * t * yes, u * no),
            "negatives": (t * yes, class_weight * u * no),
            "complementary": (class_weight * t * yes, (1 - class_weight) * u * no),
            "complementary turned": ((1 - class_weight) * t * yes, class_weight * u * no),
        }.get(form, (t * yes, u * no))
        loss = -(positive + negative)
    if weight is not None:
        loss = loss * weight
    if form == "base 2":
        loss = loss / math.log(2)
    elif form == "base 10":
        loss = loss / math.log(10)
    elif form == "features" and loss.ndim > 1:
        return loss.sum(-1).mean()
    elif form == "positive mean":
        return loss.sum() / t.sum().clamp_min(1)
    elif form == "batch" and loss.ndim > 1:
        return loss.sum() / loss.shape[0]
    return reduced(loss, reduction)


_EPS = Number((1e-8, 1e-7, 1e-6, 1e-12), 0.0, 0.1, ("epsilon", "smooth"))
_EMPHASIS = Number((2.0,), 0.0, 1000.0, ("pos_weight", "alpha", "w", "neg_weight", "weight", "beta"))
_FORMS = (
    Variant("positive", "the negative term, (1 - t)·log(1 - p), is left out: only positives count"),
    Variant("negative", "the positive term, t·log p, is left out: only negatives count"),
    Variant("exchanged", "positives and negatives are exchanged"),
    Variant("minus", "the sign of the negative term is turned"),
    Variant("uncomplemented", "the negative term takes log p instead of log(1 - p)"),
    Variant("base 2", "the logarithm is to base 2"),
    Variant("base 10", "the logarithm is to base 10"),
    Variant("features", "it is summed over the last dimension before the mean", True),
    Variant("batch", "the sum is divided by the batch size alone", True),
    Variant("positive mean", "the sum is divided by the number of positives"),
    Variant("balanced", "positives and negatives are weighted by the share of the other class in the batch", True),
)
_WEIGHED = (
    Variant("negatives", "negatives are weighted instead of positives (pos_weight)"),
    Variant("positives", "positives are weighted by class_weight", True),
    Variant("complementary", "positives are weighted by class_weight, negatives by one minus it", True),
    Variant("complementary turned", "negatives are weighted by class_weight, positives by one minus it", True),
)
_GUARDS = (
    Variant("eps", "eps is added inside the logarithms", True),
    Variant("clamp", "probabilities are clamped at eps and 1 - eps, where torch clamps logarithms at -100", True),
)
_R = {"reduction": MEAN_SUM_NONE}
_NAMES = ("bce", "binarycrossentropy")
_LOGITS = ("bcewithlogits", "binarycrossentropywithlogits", "sigmoidcrossentropy")
_WEIGHTED = ("weightedbce", "weightedbinarycrossentropy", "balancedbce")
DEFINITIONS = (
    Definition(
        "binary cross entropy with logits", with_logits, "torch.nn.BCEWithLogitsLoss", (*_NAMES, *_LOGITS),
        "torch.nn.BCEWithLogitsLoss", (2, 3), bits=True, conventions=_R, deviations={"form": (
            *_FORMS, Variant("twice", "the sigmoid is applied twice"),
            Variant("turned", "the sign of the logits is turned"))},
    ),
    Definition(
        "binary cross entropy", of_probabilities, "torch.nn.BCELoss", _NAMES, "torch.nn.BCELoss", (2, 3), bits=True,
        conventions=_R, deviations={"form": _FORMS},
    ),
    Definition(
        "binary cross entropy with logits", with_logits, "torch.nn.BCEWithLogitsLoss", (*_LOGITS, *_WEIGHTED),
        "torch.nn.BCEWithLogitsLoss", (2,), bits=True, numbers={"class_weight": _EMPHASIS}, conventions=_R,
        deviations={"form": _WEIGHED},
    ),
    Definition(
        "binary cross entropy", of_probabilities, "torch.nn.BCELoss", (*_NAMES, *_WEIGHTED), "torch.nn.BCELoss", (2,),
        bits=True, numbers={"class_weight": _EMPHASIS}, conventions=_R, deviations={"form": _WEIGHED},
    ),
    Definition(
        "binary cross entropy with logits", with_logits, "torch.nn.BCEWithLogitsLoss", _LOGITS,
        "torch.nn.BCEWithLogitsLoss", (2,), bits=True, numbers={"eps": _EPS}, conventions=_R,
        deviations={"form": _GUARDS},
    ),
    Definition(
        "binary cross entropy", of_probabilities, "torch.nn.BCELoss", _NAMES, "torch.nn.BCELoss", (2,), bits=True,
        numbers={"eps": _EPS}, conventions=_R, deviations={"form": (
            *_GUARDS, Variant("clamp below", "the arguments of the logarithms are clamped at eps, where torch clamps "
                              "logarithms at -100", True))},
    ),
)  # fmt: skip
