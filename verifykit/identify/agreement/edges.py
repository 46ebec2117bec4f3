"""Values of special kinds in the domain of an input: its ends, ties, round and large numbers."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from verifykit.spec.dims import evaluate
from verifykit.spec.domain import Below, Boolean, Interval, OneOf, Real, Simplex, Sorted
from verifykit.spec.model import InputSpec
from verifykit.spec.sampling import integer_range

# Places where piecewise functions are usually pieced together.
USUAL_NUMBERS = (0.0, 0.5, 1.0, 2.0, 3.0, 6.0)


def is_unbounded(entry: InputSpec) -> bool:
    """Whether its values may have any magnitude."""
    match entry.domain:
        case Real() | Sorted():
            return entry.dtype in ("float", "complex")
        case Interval(low=low, high=high):
            return entry.dtype == "float" and low == 0.0 and math.isinf(high)
    return False


def fillings(entry: InputSpec, like: Tensor, known: Mapping[str, int], numbers: Sequence[float]) -> dict[str, Tensor]:
    """Tensors like ``like`` at the edges of its domain, by what is there."""
    match entry.domain:
        case Boolean():
            return {"all true": torch.ones_like(like), "all false": torch.zeros_like(like)}
        case Below(bound):
            return _ends(like, 0, max(evaluate(bound, known) - 1, 0))
        case Interval() as interval if entry.dtype == "long":
            return _ends(like, *integer_range(interval))
        case OneOf(values):
            return _ends(like, min(values), max(values))
        case Interval(low=low, high=high, closed_low=closed_low, closed_high=closed_high):
            ends = {"the lower end": low} if closed_low else {}
            ends |= {"the upper end": high} if closed_high else {}
            filled = {where: torch.full_like(like, value) for where, value in ends.items() if math.isfinite(value)}
            inside = [n for n in (*numbers, *USUAL_NUMBERS, *_near_ends(low, high)) if low < n < high]
            return filled | _round_values(like, inside)
        case Simplex():
            return {"ties": torch.full_like(like, 1 / max(like.shape[-1], 1))} if like.ndim else {}
        case Real() | Sorted() if entry.dtype == "float":
            filled = {
                "zeros": torch.zeros_like(like) * torch.where(like < 0, -1.0, 1.0),
                "ties": torch.full_like(like, 0.75),
                **_round_values(like, [n for number in (*numbers, *USUAL_NUMBERS) for n in (number, -number)]),
            }
            if isinstance(entry.domain, Sorted):
                filled = {where: t.sort(-1).values if t.ndim else t for where, t in filled.items()}
            return filled
        case _:
            return {"zeros": torch.zeros_like(like)}


def scaled_to(entry: InputSpec, tensor: Tensor, magnitude: float) -> Tensor:
    """Values of a magnitude, the first and the last of which are at either end of it."""
    scaled = (tensor * magnitude).flatten()
    if scaled.numel() > 1:
        scaled[0], scaled[-1] = (-magnitude if isinstance(entry.domain, Real | Sorted) else magnitude), magnitude
    scaled = scaled.reshape(tensor.shape)
    return scaled.sort(-1).values if isinstance(entry.domain, Sorted) and tensor.ndim else scaled


def _ends(like: Tensor, low: float, high: float) -> dict[str, Tensor]:
    return {"the least values": torch.full_like(like, low), "the greatest values": torch.full_like(like, high)}


def _near_ends(low: float, high: float) -> list[float]:
    """Numbers that lie just inside the ends of a bounded interval, where logarithms are clamped."""
    if not math.isfinite(high - low):
        return []
    return [end for share in (1e-9, 1e-5) for end in (low + share * (high - low), high - share * (high - low))]


def _round_values(like: Tensor, numbers: Sequence[float]) -> dict[str, Tensor]:
    """``numbers`` in tensors like ``like``, as many as it takes up to four, in a scrambled order so that no row is like
    another.
    """
    generator = torch.Generator().manual_seed(like.numel())
    known = list(dict.fromkeys(number for number in numbers if abs(number) < 1e9))
    count = like.numel()
    filled: dict[str, Tensor] = {}
    for turn in range(min(-(-len(known) // count), 4) if count else 0):
        chosen = [known[(turn * count + i) % len(known)] for i in range(count)]
        scrambled = torch.tensor(chosen, dtype=like.dtype)[torch.randperm(count, generator=generator)]
        filled["more " * turn + "round values"] = scrambled.reshape(like.shape).to(like.device)
    return filled


def rounded(entry: InputSpec, tensor: Tensor) -> Tensor:
    """Values of one digit, where the domain has them everywhere."""
    if entry.dtype == "float" and isinstance(entry.domain, Real | Sorted):
        return torch.where(tensor.abs() < 0.5, tensor.sign() * 0.5, tensor.round())
    return tensor
