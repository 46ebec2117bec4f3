"""Losses with a margin of scores held against signs or classes: soft margin, hinge embedding, multi-margin."""

import torch
from torch import Tensor
from torch.nn import functional as F

from verifykit.identify.definitions.definition import Definition, Number, Variant
from verifykit.identify.definitions.reducing import MEAN_SUM_NONE, reduced


def soft_margin(input: Tensor, target: Tensor, *, reduction: str = "mean", form: str = "soft margin") -> Tensor:
    """log(1 + exp(-target * input)) for targets of -1 or 1; torch.nn.SoftMarginLoss."""
    z = target * input
    return reduced({
        "turned": lambda: F.softplus(z), "exp": lambda: torch.exp(-z), "sigmoid": lambda: torch.sigmoid(-z),
        "base 2": lambda: F.softplus(-z) / torch.log(z.new_tensor(2.0)),
        "bits": lambda: F.softplus(-(2 * target - 1) * input),
        "square": lambda: F.softplus(-z).square(), "hinge": lambda: F.relu(1 - z),
    }.get(form, lambda: F.softplus(-z))(), reduction)  # fmt: skip


def hinge_embedding(
    input: Tensor, target: Tensor, *, margin: float = 1.0, reduction: str = "mean", form: str = "hinge"
) -> Tensor:
    """input where target is 1, max(0, margin - input) where it is -1; torch.nn.HingeEmbeddingLoss."""
    far = F.relu(margin - input)
    like, unlike = {
        "square": (input.square(), far.square()),
        "unlike squared": (input, far.square()),
        "like squared": (input.square(), far),
        "open": (input, margin - input),
        "plus": (input, F.relu(margin + input)),
        "minus": (input, F.relu(input - margin)),
        "exchanged": (far, input),
        "absolute": (input.abs(), F.relu(margin - input.abs())),
        "soft": (input, F.softplus(margin - input)),
    }.get(form, (input, far))
    positive = target > 0 if form == "bits" else target == 1
    return reduced(torch.where(positive, like, unlike), reduction)


def multi_margin(
    input: Tensor, target: Tensor, *, p: int = 1, margin: float = 1.0, reduction: str = "mean", form: str = "others"
) -> Tensor:
    """sum over the other classes of max(0, margin - input[target] + input[c])^p, by the number of classes;
    torch.nn.MultiMarginLoss.
    """
    right = input.gather(1, target[:, None])
    gap = {"plus": right - input + margin, "minus": input - right - margin}.get(form, margin - right + input)
    each = (gap if form == "open" else F.relu(gap)).pow(p)
    own = F.one_hot(target, input.shape[1]).bool()
    count = {"sum": 1, "by the others": max(input.shape[1] - 1, 1)}.get(form, input.shape[1])
    if form == "greatest":
        return reduced(each.masked_fill(own, 0.0).amax(1), reduction)
    if form != "all":
        each = each.masked_fill(own, 0.0)
    return reduced(each.sum(1) / count, reduction)


MARGIN = Number((1.0,), -100.0, 100.0, ("m", "gap", "delta"))
_R = {"reduction": MEAN_SUM_NONE}
DEFINITIONS = (
    Definition("soft margin loss", soft_margin, "torch.nn.SoftMarginLoss", ("softmargin", "logisticloss", "logistic"),
               "torch.nn.SoftMarginLoss", (2,), conventions=_R, deviations={"form": (
                   Variant("turned", "the sign is turned: log(1 + exp(y·x)) instead of log(1 + exp(-y·x))"),
                   Variant("exp", "exp(-y·x) is taken, without one and the logarithm"),
                   Variant("sigmoid", "a sigmoid is taken instead of log(1 + exp)"),
                   Variant("base 2", "the logarithm is to base 2", True),
                   Variant("bits", "targets of 0 and 1 are taken for signs of -1 and 1", True),
                   Variant("square", "it is squared"))}),
    Definition("hinge embedding loss", hinge_embedding, "torch.nn.HingeEmbeddingLoss", ("hingeembedding",),
               "torch.nn.HingeEmbeddingLoss", (2,), numbers={"margin": MARGIN}, conventions=_R, deviations={"form": (
                   Variant("unlike squared", "the part with the margin is squared"),
                   Variant("like squared", "the part without the margin is squared"),
                   Variant("square", "both parts are squared"),
                   Variant("open", "it is not cut off at zero"),
                   Variant("plus", "the sign of the input is turned beside the margin"),
                   Variant("minus", "the margin is subtracted from the input instead of the input from the margin"),
                   Variant("exchanged", "like and unlike pairs are exchanged"),
                   Variant("absolute", "absolute values are taken"),
                   Variant("soft", "softplus is taken instead of max(0, x)"))}),
    Definition("multi-class margin loss", multi_margin, "torch.nn.MultiMarginLoss", ("multimargin", "multiclasshinge",
               "multiclassmargin", "crammersinger"), "torch.nn.MultiMarginLoss", (2,), numbers={"margin": MARGIN},
               conventions={"p": (1, 2), **_R}, deviations={"form": (
                   Variant("all", "the target's own class is counted as well: it adds the margin"),
                   Variant("by the others", "it is divided by the number of the other classes"),
                   Variant("sum", "it is not divided by the number of classes"),
                   Variant("greatest", "the greatest violation is taken instead of the mean over classes", True),
                   Variant("open", "it is not cut off at zero"),
                   Variant("minus", "the margin is subtracted instead of added"),
                   Variant("plus", "the sign of scores is turned"))}),
)  # fmt: skip
