"""Similarities and distances of vectors, unit vectors, and losses of them."""

import torch
from torch import Tensor
from torch.nn import functional as F

from verifykit.identify.definitions.definition import Definition, Number, Variant
from verifykit.identify.definitions.reducing import MEAN_SUM_NONE, reduced


def length(x: Tensor, p: float, dim: int, keepdim: bool = False) -> Tensor:
    """The p-norm along ``dim``."""
    found: Tensor = torch.linalg.vector_norm(x, p, dim, keepdim)
    return found


def cosine_similarity(
    x1: Tensor, x2: Tensor, *, dim: int = -1, eps: float = 1e-8, place: str = "each", form: str = "cosine"
) -> Tensor:
    """x1 . x2 / (max(|x1|, eps) max(|x2|, eps)); torch.nn.CosineSimilarity."""
    product, n1, n2 = (x1 * x2).sum(dim), length(x1, 2.0, dim), length(x2, 2.0, dim)
    if form == "one":
        return product / n1.clamp_min(eps)
    if form == "sum":
        return product / (n1 + n2).clamp_min(eps)
    if form == "squares":
        return product / (n1 * n2).square().clamp_min(eps)
    if form == "centred":
        return cosine_similarity(x1 - x1.mean(dim, keepdim=True), x2 - x2.mean(dim, keepdim=True), dim=dim, eps=eps)
    if form == "absolute":
        return product.abs() / (n1 * n2).clamp_min(eps)
    divisor: Tensor = {
        "product": lambda: (n1 * n2).clamp_min(eps),
        "added": lambda: n1 * n2 + eps,
        "added to each": lambda: (n1 + eps) * (n2 + eps),
        "none": lambda: n1 * n2,
        "root": lambda: (n1.square() * n2.square() + eps).sqrt(),
        "both roots": lambda: ((n1.square() + eps) * (n2.square() + eps)).sqrt(),
        "squared": lambda: (n1.square() * n2.square()).clamp_min(eps**2).sqrt(),
    }.get(place, lambda: n1.clamp_min(eps) * n2.clamp_min(eps))()
    return product / divisor


def cosine_loss(
    input: Tensor, target: Tensor, *, dim: int = -1, reduction: str = "mean", form: str = "one minus"
) -> Tensor:
    """1 - cosine similarity of input and target."""
    c = F.cosine_similarity(input, target, dim=dim)
    return reduced(
        {"one minus": 1 - c, "minus": -c, "plus": 1 + c, "half": (1 - c) / 2, "square": (1 - c) ** 2}[form], reduction
    )


def cosine_embedding(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    *,
    margin: float = 0.0,
    eps: float = 1e-12,
    reduction: str = "mean",
    form: str = "cosine",
) -> Tensor:
    """1 - cos where target is 1, max(0, cos - margin) where it is -1; torch.nn.CosineEmbeddingLoss, which adds 1e-12
    to the square of each norm.
    """
    squares = (input1.square().sum(-1) + eps) * (input2.square().sum(-1) + eps)
    c = (input1 * input2).sum(-1) / squares.sqrt()
    unlike = {"open": lambda: c - margin, "turned": lambda: F.relu(margin - c), "plus": lambda: F.relu(c + margin),
              "outside": lambda: F.relu(c) - margin, "absolute": lambda: F.relu(c.abs() - margin),
              "square": lambda: F.relu(c - margin).square()}.get(form, lambda: F.relu(c - margin))()  # fmt: skip
    like = {"similarity": c, "square": (1 - c).square(), "like squared": (1 - c).square()}.get(form, 1 - c)
    yes = target == -1 if form == "exchanged" else target == 1
    no = target == 1 if form == "exchanged" else target == -1
    return reduced(torch.where(yes, like, torch.where(no, unlike, 0.0)), reduction)


def pairwise_distance(
    x1: Tensor, x2: Tensor, *, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False, form: str = "norm"
) -> Tensor:
    """The p-norm of x1 - x2 + eps over the last dimension; torch.nn.PairwiseDistance."""
    d = x1 - x2
    found: Tensor = {
        "no eps": lambda: length(d, p, -1, keepdim),
        "squared": lambda: d.square().sum(-1, keepdim=keepdim),
        "squared with eps": lambda: (d + eps).square().sum(-1, keepdim=keepdim),
        "root": lambda: (d.square().sum(-1, keepdim=keepdim) + eps).sqrt(),
        "outside": lambda: length(d, p, -1, keepdim) + eps,
        "mean": lambda: d.square().mean(-1, keepdim=keepdim).sqrt(),
        "absolute": lambda: length(d.abs() + eps, p, -1, keepdim),
    }.get(form, lambda: length(d + eps, p, -1, keepdim))()
    return found


def cdist(x1: Tensor, x2: Tensor, *, p: float = 2.0, form: str = "norm", eps: float = 1e-8) -> Tensor:
    """The p-norms of the differences of every row of x1 and every row of x2; torch.cdist."""
    d = x1.unsqueeze(-2) - x2.unsqueeze(-3)
    return {
        "squared": lambda: d.square().sum(-1),
        "mean": lambda: d.square().mean(-1).sqrt(),
        "mean square": lambda: d.square().mean(-1),
        "root": lambda: (d.square().sum(-1) + eps).sqrt(),
    }.get(form, lambda: length(d, p, -1))()


def normalize(x: Tensor, *, p: float = 2.0, dim: int = -1, eps: float = 1e-12, form: str = "clamp") -> Tensor:
    """x / max(|x|, eps); torch.nn.functional.normalize."""
    norm = length(x, p, dim, True)
    divisor: Tensor = {
        "clamp": lambda: norm.clamp_min(eps),
        "added": lambda: norm + eps,
        "root": lambda: (x.square().sum(dim, keepdim=True) + eps).sqrt(),
        "squared": lambda: norm.square().clamp_min(eps),
        "none": lambda: norm,
        "mean": lambda: x.square().mean(dim, keepdim=True).sqrt().clamp_min(eps),
        "whole": lambda: length(x.flatten(), p, 0).clamp_min(eps),
        "maximum": lambda: x.abs().amax(dim, keepdim=True).clamp_min(eps),
    }[form]()
    return x / divisor


_EPS = Number((1e-8, 1e-6, 1e-12), 0.0, 0.1, ("epsilon",))
_DIMS = (-1, 1, 0)
_R = {"reduction": MEAN_SUM_NONE}
DEFINITIONS = (
    Definition(
        "cosine similarity", cosine_similarity, "torch.nn.CosineSimilarity", ("cosinesimilarity", "cossim",
            "cosinesim"),
        "torch.nn.CosineSimilarity", (2,), numbers={"eps": _EPS}, conventions={"dim": _DIMS}, deviations={
            "place": (
                Variant("product", "eps clamps the product of the norms instead of each norm", True),
                Variant("added", "eps is added to the product of the norms instead of clamping each norm"),
                Variant("added to each", "eps is added to each norm instead of clamping it"),
                Variant("none", "eps is left out"), Variant("root", "eps is added under the root"),
                Variant("both roots", "eps is added inside the root of each norm instead of clamping it"),
                Variant("squared", "eps² clamps the product of the squared norms instead of each norm", True)),
            "form": (Variant("one", "it is divided by one of the two norms only"),
                     Variant("sum", "it is divided by the sum of the norms"),
                     Variant("squares", "it is divided by the squares of the norms"),
                     Variant("centred", "the means are subtracted first, which is the correlation"),
                     Variant("absolute", "its sign is dropped"))},
    ),
    Definition("cosine loss", cosine_loss, "one minus torch.nn.CosineSimilarity", ("cosine", "cosinedistance",
               "cosinesimilarity"), "", (2,), conventions={"dim": _DIMS, **_R}, deviations={"form": (
                   Variant("minus", "it is minus the similarity", True), Variant("plus", "the similarity is added"),
                   Variant("half", "it is halved", True), Variant("square", "it is squared", True))}),
    Definition("cosine embedding loss", cosine_embedding, "torch.nn.CosineEmbeddingLoss", ("cosineembedding",),
               "torch.nn.CosineEmbeddingLoss", (3,), numbers={"margin": Number((0.0,), -1.0, 1.0, ("m",))},
               conventions={"eps": (1e-12, 0.0), **_R},
               deviations={"form": (
                   Variant("open", "unlike pairs are not cut off at zero"),
                   Variant("turned", "unlike pairs are penalised below the margin instead of above"),
                   Variant("plus", "the margin is added instead of subtracted"),
                   Variant("outside", "the margin is subtracted outside the maximum with zero"),
                   Variant("similarity", "like pairs are given their similarity, which makes them unlike"),
                   Variant("absolute", "unlike pairs count with the absolute value of their cosine"),
                   Variant("square", "both parts are squared"),
                   Variant("like squared", "the part of like pairs is squared"),
                   Variant("exchanged", "like and unlike pairs are exchanged"))}),
    Definition("pairwise distance", pairwise_distance, "torch.nn.PairwiseDistance", ("pairwisedistance",
               "euclideandistance"), "torch.nn.PairwiseDistance", (2,), numbers={
                   "eps": Number((1e-6, 1e-8), 0.0, 0.1, ("epsilon",)), "p": Number((2.0,), 0.0, 100.0, ("norm",))},
               conventions={"keepdim": (False, True)}, deviations={"form": (
                   Variant("no eps", "eps is left out", True), Variant("squared", "the root is left out"),
                   Variant("squared with eps", "the root is left out"),
                   Variant("root", "eps is added under the root instead of to the differences", True),
                   Variant("outside", "eps is added to the distance instead of the differences", True),
                   Variant("absolute", "eps is added to the absolute differences", True),
                   Variant("mean", "squares are averaged instead of summed"))}),
    Definition("distance of all pairs", cdist, "torch.cdist", ("cdist", "pairwisedistances", "distancematrix"),
               "torch.cdist", (2,), numbers={"eps": Number((1e-8,), 0.0, 0.1, ("epsilon",))}, conventions={"p": (2.0,
                   1.0)}, deviations={"form": (
                   Variant("squared", "the root is left out: distances are squared"),
                   Variant("root", "eps is added under the root"),
                   Variant("mean", "squares are averaged instead of summed"),
                   Variant("mean square", "squares are averaged instead of summed, and the root is left out"))}),
    Definition("L2 normalisation", normalize, "torch.nn.functional.normalize", ("normalize", "l2normalize", "l2norm",
               "l2normalization", "unitnorm"), "torch.nn.functional.normalize", numbers={
                   "eps": Number((1e-12, 1e-8, 1e-10, 1e-6, 1e-5), 0.0, 0.1, ("epsilon",)), "p": Number((2.0,), 0.0,
                       100.0)},
               conventions={"dim": (-1, 1, 0)}, deviations={"form": (
                   Variant("added", "eps is added to the norm instead of clamping it", True),
                   Variant("root", "eps is added under the root instead of clamping the norm", True),
                   Variant("squared", "it is divided by the square of the norm"), Variant("none", "eps is left out",
                       True),
                   Variant("mean", "it is divided by the root of the mean square instead of the norm"),
                   Variant("whole", "it is divided by the norm of all elements"),
                   Variant("maximum", "it is divided by the greatest element"))}),
)  # fmt: skip
