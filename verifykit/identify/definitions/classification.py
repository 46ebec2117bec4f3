"""Losses of scores or probabilities held against classes."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from verifykit.identify.definitions.definition import Definition, Number, Variant
from verifykit.identify.definitions.reducing import MEAN_SUM_NONE, reduced

LN2 = math.log(2)


def cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, label_smoothing: float = 0.0, eps: float = 1e-8,
        ignore_index: int = -100,
    reduction: str = "mean", smoothing: str = "all", form: str = "log-softmax", averaged: str = "weights",
    given: str = "logits",
) -> Tensor:  # fmt: skip
    """-sum_c q_c log softmax(input)_c, where q is the class or the probabilities of target, smoothed uniformly
    (Szegedy et al. 2016, section 7); torch.nn.CrossEntropyLoss.
    """
    classes = 1 if input.ndim > 1 else 0
    z = input.softmax(classes) if form == "twice" else input
    logs = z.log() if given == "probabilities" else z if given == "logs" else z.log_softmax(classes)
    logs = {
        "base 2": lambda: logs / LN2,
        "base 10": lambda: logs / math.log(10),
        "eps": lambda: (z.softmax(classes) + eps).log(),
        "batch": lambda: input.log_softmax(0),
        "last": lambda: input.log_softmax(-1),
        "sigmoid": lambda: F.logsigmoid(input),
        "probabilities": lambda: z.softmax(classes),
        "scores": lambda: input,
        "logged": lambda: input.log(),
    }.get(form, lambda: logs)()
    count = input.shape[classes]
    if target.is_floating_point():
        q, keep = target, target.new_ones(target.select(classes, 0).shape)
    else:
        keep = (target != ignore_index).to(logs)
        q = F.one_hot(target.where(target != ignore_index, 0), count).to(logs).movedim(-1, classes)
    s = label_smoothing
    spread = {"others": s / (count - 1), "unspread": 0.0, "sum": s}.get(smoothing, s / count)
    hard = (1.0 if smoothing == "kept" else 1 - s) * q
    q = hard + (spread * (1 - q) if smoothing == "others" else spread)
    if weight is not None:
        shape = [1] * input.ndim
        shape[classes] = count
        q = q * weight.view(shape)
    loss = -(q * logs).sum(classes) * keep
    if form == "elements":
        return loss.sum() / input.numel()
    if reduction == "mean" and averaged == "weights" and not target.is_floating_point():
        return loss.sum() / (keep if weight is None else keep * weight[target.where(keep > 0, 0)]).sum()
    return reduced(loss, reduction)


def nll(input: Tensor, target: Tensor, *, reduction: str = "mean", form: str = "minus") -> Tensor:
    """-input[target]; torch.nn.NLLLoss, of log-probabilities."""
    classes = 1 if input.ndim > 1 else 0
    picked = input.gather(classes, target.unsqueeze(classes)).squeeze(classes)
    if form == "log":
        return reduced(-picked.log(), reduction)
    if form == "elements":
        return -picked.sum() / input.numel()
    if form == "softmax":
        return reduced(F.cross_entropy(input, target, reduction="none"), reduction)
    return reduced(picked if form == "plus" else -picked, reduction)


def poly1(
    input: Tensor, target: Tensor, *, epsilon: float = 1.0, reduction: str = "mean", form: str = "poly"
) -> Tensor:
    """cross entropy + epsilon * (1 - p_t); Leng et al. 2022, "PolyLoss", eq. 6."""
    entropy = F.cross_entropy(input, target, reduction="none")
    p = torch.exp(-entropy)
    return reduced(entropy + epsilon * (p if form == "plain" else 1 - p), reduction)


_BASES = (Variant("base 2", "the logarithm is to base 2"),)
SMOOTHING = (
    Variant("others", "smoothing spreads over the other classes only"),
    Variant("unspread", "what smoothing takes from the class is given to none"),
    Variant("kept", "smoothing is added without being taken from the class"),
    Variant("sum", "smoothing is not divided by the number of classes"),
)
DEFINITIONS = (
    Definition(
        "cross entropy", cross_entropy, "torch.nn.CrossEntropyLoss; smoothing: Szegedy et al. 2016, section 7",
        ("crossentropy", "ce", "softmaxcrossentropy", "categoricalcrossentropy", "softtargetcrossentropy",
         "crossentropywithlogits", "labelsmoothing", "labelsmoothingcrossentropy", "smoothcrossentropy",
         "labelsmoothcrossentropy", "labelsmoothingce", "softcrossentropy"),
        "torch.nn.CrossEntropyLoss", (2, 3),
        numbers={"label_smoothing": Number((0.0, 0.1), 0.0, 1.0, ("smoothing", "epsilon", "ls", "alpha")),
                 "eps": Number((1e-8,), 0.0, 1e-3)},
        conventions={"reduction": MEAN_SUM_NONE},
        deviations={
            "smoothing": SMOOTHING,
            "form": (
                *_BASES, Variant("base 10", "the logarithm is to base 10"), Variant("twice",
                    "softmax is applied twice"),
                Variant("eps", "eps is added inside the logarithm", True),
                Variant("batch", "softmax is taken over the batch"),
                Variant("last", "softmax is taken over the last dimension"),
                Variant("sigmoid", "probabilities are taken from sigmoids instead of softmax"),
                Variant("probabilities", "probabilities are taken without their logarithm"),
                Variant("scores", "scores are taken without softmax and logarithm"),
                Variant("logged", "scores are taken for probabilities: softmax is left out"),
                Variant("elements", "it is averaged over samples and classes"),
            ),
            "averaged": (Variant("samples", "the weighted mean divides by the number of samples instead of the sum of "
                                 "their weights, or counts those that are to be ignored"),),
            "given": (Variant("probabilities", "it takes probabilities", True), Variant("logs",
                "it takes log-probabilities", True)),
        },
    ),
    Definition(
        "negative log-likelihood", nll, "torch.nn.NLLLoss", ("nll", "negativeloglikelihood"), "torch.nn.NLLLoss", (2,),
        conventions={"reduction": MEAN_SUM_NONE}, deviations={"form": (
            Variant("plus", "its sign is turned"), Variant("log", "the logarithm is taken again"),
            Variant("elements", "it is averaged over samples and classes"),
            Variant("softmax", "log-softmax is applied first, as in cross entropy", True))},
    ),
    Definition(
        "poly-1 loss", poly1, "Leng et al. 2022, PolyLoss, eq. 6", ("poly1", "polyloss", "poly1crossentropy", "poly"),
            "", (2,),
        numbers={"epsilon": Number((1.0,), -10.0, 10.0, ("eps", "alpha"))}, conventions={"reduction": MEAN_SUM_NONE},
        deviations={"form": (Variant("plain", "p is added instead of 1 - p"),)},
    ),
)  # fmt: skip
