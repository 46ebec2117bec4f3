"""Focal loss, of two classes and of many."""

import torch
from torch import Tensor
from torch.nn import functional as F

from verifykit.identify.definitions.definition import Definition, Number, Variant
from verifykit.identify.definitions.reducing import MEAN_SUM_NONE, reduced

SOURCE = "Lin et al. 2017, Focal Loss for Dense Object Detection, eq. 4 and 5"
UNWEIGHTED = -1.0


def binary_focal(
    input: Tensor, target: Tensor, *, given: str = "logits", alpha: float = UNWEIGHTED, gamma: float = 2.0,
    reduction: str = "mean", weigh: str = "positive", focus: str = "1 - p_t", form: str = "focal",
    between: str = "mixed",
) -> Tensor:  # fmt: skip
    """-alpha_t (1 - p_t)^gamma log p_t, where alpha_t is alpha for positives and 1 - alpha for negatives (Lin et al.
    2017, eq. 5); without alpha where that is negative, as in torchvision.ops.sigmoid_focal_loss. Targets between 0 and
    1 are mixed into p_t, or p_t is exp(-cross entropy).
    """
    p = input.sigmoid() if given == "logits" else input
    if given == "logits":
        entropy = F.binary_cross_entropy_with_logits(input, target, reduction="none")
    else:
        entropy = -(target * p.log() + (1 - target) * (1 - p).log())
    if form == "mean":
        entropy = entropy.mean()
    if form == "clamp":
        inside = p.clamp(1e-7, 1 - 1e-7)
        entropy = -(target * inside.log() + (1 - target) * (1 - inside).log())
    if form == "eps":
        entropy = -(target * (p + 1e-8).log() + (1 - target) * (1 - p + 1e-8).log())
    pt = torch.exp(-entropy) if form == "mean" or between == "entropy" else p * target + (1 - p) * (1 - target)
    loss = modulated(pt, p, gamma, focus, alpha) * entropy
    if alpha >= 0:
        loss = (
            loss
            * {
                "positive": lambda: alpha * target + (1 - alpha) * (1 - target),
                "negative": lambda: (1 - alpha) * target + alpha * (1 - target),
                "both": lambda: torch.as_tensor(alpha),
                "positive alone": lambda: alpha * target + (1 - target),
            }[weigh]()
        )
    if form == "positive":
        loss = loss * target
    if form == "base 2":
        loss = loss / torch.log(loss.new_tensor(2.0))
    return reduced(loss, reduction)


def focal(
    input: Tensor, target: Tensor, *, given: str = "logits", alpha: float = UNWEIGHTED, gamma: float = 2.0,
    reduction: str = "mean", focus: str = "1 - p_t", form: str = "focal",
) -> Tensor:  # fmt: skip
    """-alpha (1 - p_t)^gamma log p_t for the class p_t of a softmax; Lin et al. 2017, eq. 4."""
    classes = 1 if input.ndim > 1 else 0
    if form == "sigmoid":
        hot = F.one_hot(target, input.shape[classes]).to(input).movedim(-1, classes)
        return reduced(binary_focal(input, hot, alpha=alpha, gamma=gamma, reduction="none", focus=focus), reduction)
    logs = input.log_softmax(classes) if given == "logits" else input.log() if given == "probabilities" else input
    picked = logs.gather(classes, target.unsqueeze(classes)).squeeze(classes)
    if form == "mean":
        picked = picked.mean()
    elif form == "eps":
        picked = (picked.exp() + 1e-8).log()
    pt = picked.exp()
    loss = modulated(pt, pt, gamma, focus, alpha) * -picked
    if alpha >= 0 and form != "unweighted":
        loss = alpha * loss
    return reduced(loss / (torch.log(loss.new_tensor(2.0)) if form == "base 2" else 1.0), reduction)


def modulated(pt: Tensor, p: Tensor, gamma: float, focus: str, alpha: float) -> Tensor:
    """The factor (1 - p_t)^gamma."""
    return {
        "1 - p_t": lambda: (1 - pt) ** gamma,
        "p_t": lambda: pt**gamma,
        "1 - p": lambda: (1 - p) ** gamma,
        "1 - p_t^gamma": lambda: 1 - pt**gamma,
        "product": lambda: gamma * (1 - pt),
        "detached": lambda: (1 - pt.detach()) ** gamma,
        "weighted": lambda: (1 - pt if alpha < 0 else 1 - torch.exp(alpha * pt.log())) ** gamma,
        "none": lambda: torch.ones_like(pt),
    }[focus]()


FOCUS = (
    Variant("p_t", "the factor is p_t^gamma instead of (1 - p_t)^gamma: it favours what is easy"),
    Variant("1 - p", "the factor is (1 - p)^gamma for negatives as well"),
    Variant("1 - p_t^gamma", "the factor is 1 - p_t^gamma instead of (1 - p_t)^gamma"),
    Variant("product", "gamma multiplies instead of being an exponent"),
    Variant("detached", "the factor (1 - p_t)^gamma is detached: no gradient flows through it"),
    Variant("weighted", "p_t is taken from the weighted cross entropy, exp(-alpha·CE)"),
    Variant("none", "the factor (1 - p_t)^gamma is left out"),
)
_MEAN = Variant("mean", "p_t is taken from the mean of the cross entropy instead of each element's")
_EPS = Variant("eps", "1e-8 is added inside the logarithm", True)
_BASE = Variant("base 2", "the logarithm is to base 2")
_NUMBERS = {
    "gamma": Number((2.0,), 0.0, 20.0, ("focusing", "exponent", "focal_gamma")),
    "alpha": Number((UNWEIGHTED, 0.25), 0.0, 20.0, ("balance", "focal_alpha", "weight")),
}

DEFINITIONS = (
    Definition(
        "focal loss", binary_focal, SOURCE, ("focal", "binaryfocal", "sigmoidfocal", "binaryfocallosswithlogits",
        "focallosswithlogits", "bcefocal"), "", (2,), numbers=_NUMBERS,
        bits=True, conventions={"given": ("logits", "probabilities"), "between": ("mixed", "entropy"),
            "reduction": MEAN_SUM_NONE},
        deviations={
            "weigh": (Variant("negative", "alpha weighs the negative class"),
                      Variant("both", "alpha weighs both classes alike", True),
                      Variant("positive alone", "alpha weighs positives, and negatives are not weighted by 1 - alpha")),
            "focus": FOCUS,
            "form": (_MEAN, Variant("positive", "negatives are left out"), _BASE, _EPS,
                     Variant("clamp", "probabilities are clamped at 1e-7", True)),
        },
    ),
    Definition(
        "focal loss", focal, SOURCE, ("focal", "multiclassfocal", "softmaxfocal", "categoricalfocal",
            "focalcrossentropy"),
        "", (2,), numbers=_NUMBERS, bits=True, conventions={"given": ("logits", "probabilities", "logs"),
            "reduction": MEAN_SUM_NONE},
        deviations={"focus": FOCUS, "form": (
            _MEAN, _BASE, _EPS, Variant("unweighted", "alpha is left out"),
            Variant("sigmoid", "it is taken of sigmoids against all other classes", True))},
    ),
)  # fmt: skip
