"""Reads the pattern of wrong elements, and says what usually causes it."""

from dataclasses import dataclass

import torch
from torch import Tensor

STRAIGHT_THROUGH = (
    "the output does not change with these elements, autograd says that it does: a straight-through estimate"
)
CLOSE = 1e-4


@dataclass(frozen=True)
class Evidence:
    """Elements of one leaf that were looked at: flat ``indices`` into ``shape``, both derivatives, which are wrong, the
    leaf's own values, the whole analytic ``gradient``, and the shapes of the function's outputs. ``one_sample`` is the
    numerical derivative that the elements would have if only the first, or only the last, index of the outputs' leading
    dimension counted.
    """

    shape: tuple[int, ...]
    indices: Tensor
    analytic: Tensor
    numerical: Tensor
    wrong: Tensor
    leaf: Tensor
    gradient: Tensor
    output_shapes: list[tuple[int, ...]]
    one_sample: list[Tensor]


def diagnose(evidence: Evidence) -> tuple[str, str]:
    """Return a name for the pattern and a sentence with the likely cause."""
    analytic, numerical = evidence.analytic[evidence.wrong], evidence.numerical[evidence.wrong]
    if len(analytic) == 0:
        return "scattered", "the elements are each right within their error bars, their sum is not"
    if not analytic.isfinite().all():
        return "not finite", "backward yields NaN or infinity where the derivative is finite"
    if (analytic == 0).all() and (evidence.analytic == 0).all():
        return "missing", "autograd gives zero: a detach, .data, no_grad or a None returned by backward cuts the graph"
    if _is_transposed(evidence):
        return "transposed", "the gradient is the transpose of the right one: arguments or indices swapped"
    for sample in evidence.one_sample:
        if _agree(evidence.analytic, sample):
            cause = (
                "backward takes one sample's part where it must sum over the dimension that the leaf is broadcast along"
            )
            return "not summed over the broadcast dimension", cause
    where = _where(evidence)
    if (numerical.abs() <= 1e-9 * analytic.abs()).all():
        return where, STRAIGHT_THROUGH
    factor = _common_factor(analytic, numerical)
    if factor is not None:
        return f"{where}, by a factor of {factor:.6g}", _cause_of_factor(factor, evidence)
    if (analytic == 0).all():
        return where, f"the gradient is zero in {where}, where the output depends on the leaf"
    causes = {
        "all elements": "every element is wrong, by different factors: the formula of the backward is wrong",
        "negative values only": "backward treats negative values as if they were positive, or the other way round",
        "positive values only": "backward treats positive values as if they were negative, or the other way round",
        "the border": "padding is treated differently in forward and in backward",
    }
    return where, causes.get(where, f"backward treats {where} differently from the rest")


def _where(evidence: Evidence) -> str:
    """Say which elements are wrong, by what sets them apart from those that are right."""
    wrong = evidence.wrong
    # An element whose derivative is zero both ways is right whatever the bug.
    telling = wrong | ((evidence.numerical != 0) | (evidence.analytic != 0))
    right = telling & ~wrong
    if not right.any():
        return "all elements"
    places = torch.stack(torch.unravel_index(evidence.indices, evidence.shape), -1)
    for axis, size in enumerate(evidence.shape):
        own = torch.unique(places[wrong, axis])
        if len(own) == 1 and size > 1 and len(evidence.shape) > 1 and not (places[right, axis] == own[0]).any():
            name = _axis_name(axis, len(evidence.shape))
            return f"one {name} ({int(own[0])})" if int(wrong.sum()) > 1 else f"one element, in {name} {int(own[0])}"
    if int(wrong.sum()) == 1:
        return "one element"
    if (evidence.leaf[wrong] < 0).all() and (evidence.leaf[right] >= 0).all():
        return "negative values only"
    if (evidence.leaf[wrong] > 0).all() and (evidence.leaf[right] <= 0).all():
        return "positive values only"
    if len(evidence.shape) >= 3 and _is_border(places, wrong, right, evidence.shape):
        return "the border"
    return "some elements"


def _axis_name(axis: int, rank: int) -> str:
    return {0: "row", 1: "column"}[axis] if rank == 2 else f"index of dimension {axis}"


def _is_border(places: Tensor, wrong: Tensor, right: Tensor, shape: tuple[int, ...]) -> bool:
    spatial = places[:, 2:] if len(shape) > 2 else places
    last = torch.tensor(shape[2:]) - 1
    edge = ((spatial == 0) | (spatial == last)).any(-1)
    return bool(edge[wrong].all() and not edge[right].any())


def _common_factor(analytic: Tensor, numerical: Tensor) -> float | None:
    usable = numerical.abs() > 1e-6 * numerical.abs().max()
    if not usable.any() or (analytic == 0).all():
        return None
    ratios = analytic[usable] / numerical[usable]
    middle = ratios.median()
    return float(middle) if ((ratios - middle).abs() <= CLOSE * middle.abs()).all() else None


def _is_transposed(evidence: Evidence) -> bool:
    shape = evidence.shape
    if len(shape) != 2 or shape[0] != shape[1]:
        return False
    return _agree(evidence.gradient.reshape(shape).T.flatten()[evidence.indices], evidence.numerical)


def _agree(one: Tensor, other: Tensor) -> bool:
    return bool(torch.allclose(one, other, rtol=CLOSE, atol=CLOSE * float(other.abs().max())))


def _cause_of_factor(factor: float, evidence: Evidence) -> str:
    if abs(factor + 1) < CLOSE:
        return "the sign is wrong"
    sizes = sorted({size for shape in evidence.output_shapes for size in shape if size > 1})
    for size in sizes:
        if abs(factor * size - 1) < CLOSE:
            return f"it is too small by {size}, a size of the output: a mean where a sum over that dimension is due"
        if abs(factor - size) < CLOSE * size:
            return f"it is too large by {size}, a size of the output: a sum where a mean over that dimension is due"
    if abs(factor - 2) < CLOSE:
        return "it is doubled: a term counted twice, or the derivative of a square applied where there is none"
    if abs(factor - 0.5) < CLOSE:
        return "it is halved: one of two uses of the leaf is left out, or a factor 2 of a square is missing"
    if abs(factor - 1) < 0.01:
        return "it is slightly off: an approximation, a rounded constant, or a small term left out in backward"
    return "a constant factor is wrong in backward"
