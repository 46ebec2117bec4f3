"""Losses of overlap between two masks: Dice, Jaccard (IoU) and Tversky."""

from torch import Tensor
from torch.nn import functional as F

from verifykit.identify.definitions.definition import Definition, Number, Variant
from verifykit.identify.definitions.reducing import reduced

GIVEN = ("probabilities", "sigmoid", "softmax")
OVER = ("all", "sample", "sample and class", "class", "last")


def masks(input: Tensor, target: Tensor, given: str, over: str) -> tuple[Tensor, Tensor, tuple[int, ...]]:
    """The two masks, classes along dimension 1 where targets are classes, and the dimensions that are summed."""
    p = {"probabilities": lambda: input, "sigmoid": lambda: input.sigmoid(),
         "softmax": lambda: input.softmax(1 if input.ndim > 1 else 0)}[given]()  # fmt: skip
    t = target.to(p)
    if not target.is_floating_point() and target.ndim == input.ndim - 1:
        t = F.one_hot(target, input.shape[1]).movedim(-1, 1).to(p)
    every = tuple(range(p.ndim))
    dims = {
        "all": every,
        "sample": every[1:],
        "sample and class": every[2:],
        "class": tuple(d for d in every if d != 1),
        "last": every[-1:],
    }[over]
    return p, t, dims or every


def total(x: Tensor, dims: tuple[int, ...]) -> Tensor:
    """The sum over ``dims``."""
    return x.sum(dims)


def dice(
    input: Tensor, target: Tensor, *, given: str = "probabilities", over: str = "all", smooth: float = 1.0,
    squared: bool = False, smoothing: str = "both", form: str = "dice", reduction: str = "mean", first: int = 0,
) -> Tensor:  # fmt: skip
    """1 - (2 sum p t + s) / (sum p + sum t + s); squares in the denominator in Milletari et al. 2016, section 3."""
    p, t, dims = masks(input, target, given, over)
    if first and p.ndim > 1:
        p, t = p[:, first:], t[:, first:]
    overlap = total(p * t, dims)
    size = total(p.square(), dims) + total(t.square(), dims) if squared else total(p, dims) + total(t, dims)
    upper = {"both": smooth, "numerator": smooth, "twice": 2 * smooth, "inner": 2 * smooth}.get(smoothing, 0.0)
    lower = {"both": smooth, "denominator": smooth, "clamp": 0.0, "inner": smooth, "twice": 2 * smooth}.get(
        smoothing, 0.0
    )
    factor = {"no two": 1.0}.get(form, 2.0)
    size = size.clamp_min(smooth) if smoothing == "clamp" else size
    if form == "half":
        size = size / 2
    elif form == "jaccard":
        size = size - overlap
    ratio = (factor * overlap + upper) / (size + lower)
    if form == "log":
        return reduced(-ratio.log(), reduction)
    return reduced(ratio if form == "coefficient" else -ratio if form == "negative" else 1 - ratio, reduction)


def jaccard(
    input: Tensor, target: Tensor, *, given: str = "probabilities", over: str = "all", smooth: float = 1.0,
    smoothing: str = "both", form: str = "jaccard", reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """1 - (sum p t + s) / (sum p + sum t - sum p t + s); Rahman and Wang 2016, eq. 3-5."""
    p, t, dims = masks(input, target, given, over)
    overlap = total(p * t, dims)
    size = total(p, dims) + total(t, dims)
    union = {"union": size, "twice": size - 2 * overlap, "squared": total(p.square() + t.square(), dims) - overlap}
    upper = smooth if smoothing in ("both", "numerator") else 0.0
    lower = smooth if smoothing in ("both", "denominator") else 0.0
    ratio = ((2 if form == "dice" else 1) * overlap + upper) / (union.get(form, size - overlap) + lower)
    if form == "log":
        return reduced(-ratio.log(), reduction)
    return reduced(ratio if form == "coefficient" else 1 - ratio, reduction)


def tversky(
    input: Tensor, target: Tensor, *, given: str = "probabilities", over: str = "all", alpha: float = 0.5,
    beta: float = 0.5, smooth: float = 1.0, smoothing: str = "both", form: str = "tversky", reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """1 - (TP + s) / (TP + alpha FP + beta FN + s); Salehi, Erdogmus and Gholipour 2017, eq. 3."""
    p, t, dims = masks(input, target, given, over)
    hit, false, missed = total(p * t, dims), total(p * (1 - t), dims), total((1 - p) * t, dims)
    if form == "exchanged":
        false, missed = missed, false
    upper = smooth if smoothing in ("both", "numerator") else 0.0
    lower = smooth if smoothing in ("both", "denominator") else 0.0
    below = {
        "one": false + missed,
        "alpha twice": alpha * (false + missed),
        "complement": alpha * false + (1 - alpha) * missed,
    }.get(form, alpha * false + beta * missed)
    ratio = (hit + upper) / (hit + below + lower)
    return reduced(ratio if form == "coefficient" else 1 - ratio, reduction)


_PLACES = (
    Variant("numerator", "smoothing is added in the numerator only"),
    Variant("denominator", "smoothing is added in the denominator only", True),
    Variant("none", "smoothing is left out", True),
)
_COEFFICIENT = Variant("coefficient", "it returns the coefficient: one minus it is the loss")
SMOOTH = Number((1.0, 1e-5, 1e-6, 1e-7, 1e-8, 0.0), 0.0, 1000.0, ("eps", "epsilon", "smoothing", "smooth_nr"))
_HOW = {"given": GIVEN, "over": OVER, "reduction": ("mean", "none", "sum")}
DEFINITIONS = (
    Definition(
        "Dice loss", dice, "Milletari, Navab and Ahmadi 2016, V-Net, section 3; Sudre et al. 2017, eq. 2",
        ("dice", "softdice", "binarydice", "dicecoefficient", "dicecoeff"), "", (2,), numbers={"smooth": SMOOTH},
        bits=True, conventions={**_HOW, "squared": (False, True), "first": (0, 1)},
        deviations={
            "smoothing": (*_PLACES, Variant("inner", "smoothing is added to the intersection before it is doubled"),
                          Variant("clamp", "the denominator is clamped at the smoothing", True),
                          Variant("twice", "smoothing is added twice", True)),
            "form": (
                Variant("no two", "the intersection is not doubled"),
                Variant("half", "the denominator is halved, the intersection doubled as well"),
                Variant("jaccard", "the denominator is the union, as in the Jaccard index"), _COEFFICIENT,
                Variant("negative", "it is minus the coefficient", True), Variant("log", "it is minus its logarithm",
                    True)),
        },
    ),
    Definition(
        "Jaccard loss", jaccard, "Rahman and Wang 2016, Optimizing Intersection-Over-Union, eq. 3-5",
        ("jaccard", "iou", "softjaccard", "softiou", "intersectionoverunion", "miou"), "", (2,),
            numbers={"smooth": SMOOTH},
        bits=True, conventions=_HOW, deviations={"smoothing": _PLACES, "form": (
            Variant("union", "the union counts the intersection twice: it is not subtracted"),
            Variant("twice", "the intersection is subtracted twice from the union"),
            Variant("dice", "the intersection is doubled"), Variant("squared", "the union has squares", True),
                _COEFFICIENT,
            Variant("log", "it is minus its logarithm", True))},
    ),
    Definition(
        "Tversky loss", tversky, "Salehi, Erdogmus and Gholipour 2017, Tversky loss function, eq. 3", ("tversky",), "",
            (2,),
        numbers={"smooth": SMOOTH, "alpha": Number((0.5, 0.3, 0.7), 0.0, 1.0, ("a", "fp_weight")),
                 "beta": Number((0.5, 0.7, 0.3), 0.0, 1.0, ("b", "fn_weight"))},
        bits=True, conventions=_HOW, deviations={"smoothing": _PLACES, "form": (
            Variant("exchanged", "alpha weighs the false negatives and beta the false positives"),
            Variant("one", "alpha and beta are left out"),
            Variant("alpha twice", "alpha weighs false negatives as well"),
            Variant("complement", "false negatives are weighted by 1 - alpha instead of beta", True), _COEFFICIENT)},
    ),
)  # fmt: skip
