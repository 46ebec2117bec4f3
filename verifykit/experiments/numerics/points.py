"""Extreme values that the domains of the inputs allow: zeros, ties, ends, and rays that lead far out."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import combinations, product

import torch
from torch import Tensor

from verifykit.spec.dims import evaluate
from verifykit.spec.domain import Below, Boolean, Interval, OneOf, Real, Simplex, Sorted
from verifykit.spec.model import InputSpec
from verifykit.spec.sampling import integer_range
from verifykit.spec.subject import Subject

Values = tuple[Tensor, ...]

TINY = 1e-30
# Magnitudes that raw features, logits and scores have in practice.
LADDER = (10.0, 100.0, 1e4)
# A mean far from zero beside the spread: what features that were never centred look like.
OFFSET, SPREAD = 1000.1, 0.01
MOST_INPUTS = 4
MOST_COMBINATIONS = 24


@dataclass(frozen=True)
class Point:
    """Values for all inputs, in double precision, and how to say them. ``ordinary`` says that they are met in practice,
    ``chosen`` that integers or booleans alone make them special.
    """

    says: str
    inputs: Values
    ordinary: bool = True
    chosen: bool = False


@dataclass(frozen=True)
class Ray:
    """Points that lead outward: ``at`` maps a magnitude to one; ``sizes`` are those to look at."""

    at: Callable[[float], Point]
    sizes: tuple[float, ...] = LADDER


def special_points(subject: Subject) -> Iterator[Point]:
    """Yield zeros, constants, ties, tiny values and ends of intervals: one input at a time, then several together."""
    plain, entries = subject.draw(), subject.spec.inputs
    for index, entry in list(enumerate(entries))[:MOST_INPUTS]:
        for says, values, ordinary in _specials(entry, plain[index]):
            yield Point(f"{entry.name} = {says}", _with(plain, {index: values}), ordinary)
    yield from _together(subject, plain)
    yield from _ends(subject, plain)


def rays(subject: Subject) -> Iterator[Ray]:
    """Yield, for each input that is not bounded, usual values scaled up, the same value everywhere, and values
    around a mean far from zero.
    """
    plain, entries = subject.draw(), subject.spec.inputs
    open_ended = [index for index, entry in enumerate(entries) if _reach(entry)][:MOST_INPUTS]
    for index in open_ended:
        for says, values in _outward(entries[index], plain[index]):
            yield _ray(says, plain, index, values, LADDER)
        if not plain[index].is_complex():
            for says, spread in ((f"{{:.4g}} ± {SPREAD:g}", SPREAD), ("{:.6g} everywhere", 0.0)):
                values = partial(_far_from_zero, plain[index], spread)
                yield _ray(f"{entries[index].name} = {says}", plain, index, values, (OFFSET,))
    if len(open_ended) > 1:
        names = ", ".join(entries[index].name for index in open_ended)

        def all_at(size: float) -> Point:
            return Point(
                f"{names} {size:.3g} times their usual values",
                _with(plain, {index: _scaled(entries[index], plain[index], size) for index in open_ended}),
            )

        yield Ray(all_at)


def _specials(entry: InputSpec, plain: Tensor) -> Iterator[tuple[str, Tensor, bool]]:
    if not _reach(entry) or plain.numel() == 0:
        return
    floor = entry.domain.low if isinstance(entry.domain, Interval) else None
    if floor is None or (floor <= 0 and not (floor == 0 and _opens(entry))):
        yield "0 everywhere", torch.zeros_like(plain), True
        if plain.ndim > 1 and len(plain) > 1:
            yield "0 in its first row", _first_row(plain, 0.0), True
            yield "0 but for a 1 in each row", _one_hot(plain), True
        if not isinstance(entry.domain, Sorted):
            yield f"about {TINY:g} everywhere", plain * TINY, False
    at = max(floor or 0.0, 0.0)
    yield f"{at + 0.7:g} everywhere", torch.full_like(plain, at + 0.7), True
    if plain.ndim > 1 and len(plain) > 1:
        yield "the same in all rows", plain[:1].expand_as(plain).clone(), True
        if floor is None and not plain.is_complex():
            constant = plain.flatten(1)[:, :1].reshape(-1, *[1] * (plain.ndim - 1))
            yield "constant in each row", constant.expand_as(plain).clone(), True


def _together(subject: Subject, plain: Values) -> Iterator[Point]:
    entries = subject.spec.inputs
    reals = [i for i, entry in enumerate(entries) if isinstance(entry.domain, Real) and entry.dtype == "float"]
    if len(reals) > 1:
        yield Point("all inputs 0", _with(plain, {index: torch.zeros_like(plain[index]) for index in reals}))
    for one, other in combinations(reals[:MOST_INPUTS], 2):
        if plain[one].shape == plain[other].shape:
            names = entries[one].name, entries[other].name
            yield Point(f"{names[0]} = {names[1]}", _with(plain, {other: plain[one].clone()}))
            yield Point(f"{names[0]} = -{names[1]}", _with(plain, {other: -plain[one]}))


def _ends(subject: Subject, plain: Values) -> Iterator[Point]:
    """One input at an end of its domain, then two."""
    entries = subject.spec.inputs
    sizes = {**subject.spec.bound, **subject.spec.usual_sizes}
    ends = {
        index: list(_ends_of(entry, plain[index], sizes)) for index, entry in enumerate(entries) if plain[index].numel()
    }
    ended = [index for index in ends if ends[index]][:MOST_INPUTS]
    groups = [*((index,) for index in ended), *combinations(ended, 2)]
    for group in groups[:MOST_COMBINATIONS]:
        for chosen in product(*(ends[index] for index in group)):
            yield Point(
                " and ".join(f"{entries[i].name} = {says}" for i, (says, _, _) in zip(group, chosen, strict=True)),
                _with(plain, {i: value for i, (_, value, _) in zip(group, chosen, strict=True)}),
                all(ordinary for _, _, ordinary in chosen),
                all(not value.is_floating_point() for _, value, _ in chosen),
            )


def _ends_of(entry: InputSpec, plain: Tensor, sizes: dict[str, int]) -> Iterator[tuple[str, Tensor, bool]]:
    match entry.domain:
        case Boolean():
            yield "False everywhere", torch.zeros_like(plain), True
            yield "True everywhere", torch.ones_like(plain), True
        case Below(bound):
            yield "0 everywhere", torch.zeros_like(plain), True
            yield "its greatest everywhere", torch.full_like(plain, max(evaluate(bound, sizes) - 1, 0)), True
        case OneOf(numbers):
            for number in (numbers[0], numbers[-1]):
                yield f"{number:g} everywhere", torch.full_like(plain, number), True
        case Interval() as interval if entry.dtype == "long":
            for end, number in zip((interval.low, interval.high), integer_range(interval), strict=True):
                if math.isfinite(end):
                    yield f"{number} everywhere", torch.full_like(plain, number), True
        case Interval() as interval:
            for end, closed, inward in (
                (interval.low, interval.closed_low, 1),
                (interval.high, interval.closed_high, -1),
            ):
                if math.isfinite(end):
                    value = end if closed else _just_inside(end, inward)
                    yield f"{value:.9g} everywhere", torch.full_like(plain, value), closed
        case Simplex() if plain.ndim:
            yield "one-hot", _one_hot(plain), False
            almost = _one_hot(plain).clamp(min=TINY)
            yield f"one-hot, zeros being {TINY:g}", almost, False
            yield "the same everywhere", torch.full_like(plain, 1 / plain.shape[-1]), True
        case _:
            return


def _outward(entry: InputSpec, plain: Tensor) -> Iterator[tuple[str, Callable[[float], Tensor]]]:
    name = entry.name
    yield f"{name} {{:.4g}} times its usual values", lambda size: _scaled(entry, plain, size)
    for sign in (1, -1):
        if isinstance(entry.domain, Interval) and not math.isinf(entry.domain.high if sign > 0 else entry.domain.low):
            continue
        if sign < 0 and plain.is_complex():
            continue
        yield f"{name} = {'-' if sign < 0 else ''}{{:.4g}} everywhere", partial(_filled, plain, sign)


def _ray(says: str, plain: Values, index: int, values: Callable[[float], Tensor], sizes: tuple[float, ...]) -> Ray:
    return Ray(lambda size: Point(says.format(size), _with(plain, {index: values(size)})), sizes)


def _far_from_zero(plain: Tensor, spread: float, mean: float) -> Tensor:
    return mean + spread * plain


def _filled(plain: Tensor, sign: int, size: float) -> Tensor:
    return torch.full_like(plain, sign * size)


def _scaled(entry: InputSpec, plain: Tensor, size: float) -> Tensor:
    if isinstance(entry.domain, Interval):
        start = entry.domain.low if math.isfinite(entry.domain.low) else entry.domain.high
        return start + (plain - start) * size
    return plain * size


def _reach(entry: InputSpec) -> bool:
    """Whether its values have no bound on one side at least."""
    match entry.domain:
        case Real() | Sorted():
            return True
        case Interval() as interval:
            return entry.dtype == "float" and math.isinf(interval.high)
        case _:
            return False


def _opens(entry: InputSpec) -> bool:
    return isinstance(entry.domain, Interval) and not entry.domain.closed_low


def _just_inside(end: float, inward: int) -> float:
    if end == 0.0:
        return inward * TINY
    toward = torch.tensor(math.copysign(math.inf, inward))
    return float(torch.nextafter(torch.tensor(end, dtype=torch.float32), toward))


def _first_row(plain: Tensor, value: float) -> Tensor:
    changed = plain.clone()
    changed[0] = value
    return changed


def _one_hot(plain: Tensor) -> Tensor:
    hot = torch.zeros_like(plain)
    places = torch.arange(hot[..., 0].numel()).reshape(hot[..., :1].shape) % hot.shape[-1]
    return hot.scatter(-1, places.to(hot.device), 1.0)


def _with(plain: Values, changed: dict[int, Tensor]) -> Values:
    return tuple(changed.get(index, value) for index, value in enumerate(plain))
