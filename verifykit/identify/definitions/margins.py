"""Losses with a margin: hinge, ranking, triplets and pairs."""

import torch
from torch import Tensor
from torch.nn import functional as F

from verifykit.identify.definitions.definition import Definition, Number, Variant
from verifykit.identify.definitions.reducing import MEAN_SUM_NONE, reduced

MARGIN = Number((1.0,), -100.0, 100.0, ("m", "gap"))


def hinge(
    input: Tensor,
    target: Tensor,
    *,
    margin: float = 1.0,
    reduction: str = "mean",
    labels: str = "signs",
    form: str = "hinge",
) -> Tensor:
    """max(0, margin - target * input) for targets of -1 or 1; Cortes and Vapnik 1995."""
    sign = 2 * target - 1 if labels == "bits" else target
    gap = margin - sign * input
    return reduced({
        "hinge": lambda: F.relu(gap), "squared": lambda: F.relu(gap) ** 2,
            "plus": lambda: F.relu(margin + sign * input),
        "open": lambda: gap, "raw": lambda: F.relu(margin - target * input),
            "distance": lambda: F.relu(margin - (sign - input).abs()),
    }[form](), reduction)  # fmt: skip


def squared_hinge(
    input: Tensor, target: Tensor, *, margin: float = 1.0, reduction: str = "mean", labels: str = "signs"
) -> Tensor:
    """max(0, margin - target * input)^2; Tang 2013, eq. 10."""
    return hinge(input, target, margin=margin, reduction=reduction, labels=labels, form="squared")


def margin_ranking(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    *,
    margin: float = 0.0,
    reduction: str = "mean",
    form: str = "ranking",
) -> Tensor:
    """max(0, -target * (input1 - input2) + margin); torch.nn.MarginRankingLoss."""
    d = -target * (input1 - input2)
    return reduced({
        "ranking": lambda: F.relu(d + margin), "minus": lambda: F.relu(d - margin),
            "turned": lambda: F.relu(margin - d),
        "outside": lambda: F.relu(d) + margin, "open": lambda: d + margin, "squared": lambda: F.relu(d + margin) ** 2,
        "signed": lambda: F.relu(d - target * margin), "signed back": lambda: F.relu(d + target * margin),
        "soft": lambda: F.softplus(d + margin), "absolute": lambda: F.relu(margin - (input1 - input2).abs()),
    }[form](), reduction)  # fmt: skip


def distance(a: Tensor, b: Tensor, form: str, eps: float, p: float = 2.0) -> Tensor:
    """The p-norm of a - b over the last dimension; eps is added to each difference, as torch does."""
    if form == "squared":
        return (a - b).square().sum(-1)
    if form == "cosine":
        return 1 - F.cosine_similarity(a, b, dim=-1)
    if form == "root":
        return ((a - b).square().sum(-1) + eps).sqrt()
    if form == "mean":
        return (a - b).square().mean(-1)
    if form == "manhattan":
        return (a - b).abs().sum(-1)
    norm: Tensor = torch.linalg.vector_norm(a - b + (0.0 if form == "no eps" else eps), p, -1)
    return norm


def triplet(
    anchor: Tensor, positive: Tensor, negative: Tensor, *, margin: float = 1.0, eps: float = 1e-6,
        reduction: str = "mean",
    measure: str = "euclidean", form: str = "triplet",
) -> Tensor:  # fmt: skip
    """max(0, d(a, p) - d(a, n) + margin); Balntas et al. 2016, torch.nn.TripletMarginLoss."""
    near, far = distance(anchor, positive, measure, eps), distance(anchor, negative, measure, eps)
    if form == "other":
        far = distance(positive, negative, measure, eps)
    elif form == "swap":
        far = torch.minimum(far, distance(positive, negative, measure, eps))
    return reduced({
        "minus": lambda: F.relu(near - far - margin), "turned": lambda: F.relu(far - near + margin),
        "open": lambda: near - far + margin, "soft": lambda: F.softplus(near - far),
        "outside": lambda: F.relu(near - far) + margin, "mean first": lambda: F.relu(near.mean() - far.mean() + margin),
        "square": lambda: F.relu(near - far + margin).square(), "hard": lambda: F.relu(near.max() - far.min() + margin),
        "soft margin": lambda: F.softplus(near - far + margin),
        "squared": lambda: F.relu(near.square() - far.square() + margin),
    }.get(form, lambda: F.relu(near - far + margin))(), reduction)  # fmt: skip


def contrastive(
    input1: Tensor, input2: Tensor, target: Tensor, *, margin: float = 1.0, eps: float = 1e-6, reduction: str = "mean",
    similar: int = 0, half: bool = True, measure: str = "euclidean", form: str = "contrastive",
) -> Tensor:  # fmt: skip
    """(1 - y) d^2 / 2 + y max(0, margin - d)^2 / 2 where y = 1 for unlike pairs; Hadsell et al. 2006, eq. 4."""
    unlike = 1 - target.to(input1) if similar else target.to(input1)
    d = distance(input1, input2, measure, eps)
    near, far = d.square(), F.relu(margin - d).square()
    if form == "margin of squares":
        far = F.relu(margin - d.square())
    elif form == "not squared":
        far = F.relu(margin - d)
    elif form == "plain":
        near, far = d, F.relu(margin - d)
    elif form == "open":
        far = (margin - d).square()
    elif form == "squared margin":
        far = F.relu(margin**2 - d.square())
    return reduced((0.5 if half else 1.0) * ((1 - unlike) * near + unlike * far), reduction)


_SIGN = Variant("plus", "the sign of the target is turned")
_OPEN = Variant("open", "it is not cut off at zero")
_MINUS = Variant("minus", "the margin is subtracted instead of added")
_OUTSIDE = Variant("outside", "the margin is added outside the maximum with zero")
_MEASURES = (
    Variant("squared", "distances are squared", True),
    Variant("no eps", "eps is left out of the distance", True),
    Variant("root", "eps is added under the root of the distance", True),
    Variant("cosine", "distances are one minus the cosine", True),
    Variant("manhattan", "distances are sums of absolute differences", True),
    Variant("mean", "distances are means of squared differences"),
)
_R = {"reduction": MEAN_SUM_NONE}
_EPS = Number((1e-6, 1e-8, 1e-9, 1e-12), 0.0, 0.1, ("epsilon",))
DEFINITIONS = (
    Definition("hinge loss", hinge, "Cortes and Vapnik 1995, Support-Vector Networks, eq. 24", ("hinge",), "", (2,),
               numbers={"margin": MARGIN}, conventions={"labels": ("signs", "bits"), **_R}, deviations={"form": (
                   Variant("squared", "it is squared", True), _SIGN, _OPEN,
                   Variant("raw", "targets of 0 and 1 are taken for signs"),
                   Variant("distance", "it takes the distance from the target instead of the product with it"))}),
    Definition("squared hinge loss", squared_hinge,
               "Tang 2013, Deep Learning using Linear Support Vector Machines, eq. 10",
               ("squaredhinge",), "", (2,), numbers={"margin": MARGIN},
               conventions={"labels": ("signs", "bits"), **_R}),
    Definition("margin ranking loss", margin_ranking, "torch.nn.MarginRankingLoss", ("marginranking", "ranking",
               "pairwiseranking"), "torch.nn.MarginRankingLoss", (3,), numbers={"margin": Number((0.0,), -100.0, 100.0,
                   ("m",))},
               conventions=_R, deviations={"form": (
                   _MINUS, Variant("turned", "the sign of the target is turned"), _OUTSIDE, _OPEN,
                   Variant("squared", "it is squared", True),
                   Variant("signed", "the margin stands inside the product with the sign, and is multiplied by it"),
                   Variant("signed back", "the margin is multiplied by the sign of the target"),
                   Variant("soft", "softplus is taken instead of max(0, x)", True),
                   Variant("absolute", "the absolute difference is taken: the target is left out"))}),
    Definition("triplet margin loss", triplet,
        "Balntas et al. 2016, Learning local feature descriptors; Schroff et al. 2015",
               ("triplet", "tripletmargin"), "torch.nn.TripletMarginLoss", (3,), numbers={"margin": MARGIN,
                   "eps": _EPS},
               conventions=_R, deviations={"measure": _MEASURES, "form": (
                   _MINUS, _OPEN, Variant("turned", "positives and negatives are exchanged"), _OUTSIDE,
                   Variant("other", "the negative is compared with the positive instead of the anchor"),
                   Variant("swap", "the negative is compared with the nearer of anchor and positive", True),
                   Variant("soft", "softplus is taken instead of the margin", True),
                   Variant("soft margin", "softplus is taken instead of max(0, x)", True),
                   Variant("square", "it is squared after it is cut off at zero"),
                   Variant("hard", "the hardest positive and negative of the batch are taken", True),
                   Variant("mean first", "it is cut off at zero after the mean instead of for each triplet"))}),
    Definition("contrastive loss", contrastive, "Hadsell, Chopra and LeCun 2006, Dimensionality Reduction, eq. 4",
               ("contrastive", "pairwisecontrastive"), "", (3,), numbers={"margin": MARGIN, "eps": _EPS},
               conventions={"similar": (0, 1), "half": (True, False), **_R}, deviations={
                   "measure": _MEASURES, "form": (
                       Variant("margin of squares", "the margin is held against the squared distance"),
                       Variant("not squared", "the part with the margin is not squared"),
                       Variant("plain", "neither part is squared"), Variant("open",
                           "unlike pairs are not cut off at the margin"),
                       Variant("squared margin", "max(0, margin² - d²) is taken instead of max(0, margin - d)²"))}),
)  # fmt: skip
