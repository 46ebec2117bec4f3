"""Legitimate inputs at which rounding shows: everyday ones, small ones, ones far from zero, nearly equal ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor

from verifykit.spec.domain import Interval, Real, Simplex, Sorted
from verifykit.spec.subject import Subject

SMALL, OFFSET, NEAR = 1e-4, 1e3, 1e-3
# How many points at which an error is measured, and how far they lie apart, in units of the spread of the inputs:
# rounding errors differ between them, and a decision that falls otherwise, or another sign of a root, does not.
NEIGHBOURS, APART = 3, 0.01

Inputs = tuple[Tensor, ...]


@dataclass(frozen=True)
class Regime:
    """Neighbouring points in double precision. ``absolute`` says that errors are judged by the size of the outputs for
    everyday inputs; else it is by that of their own.
    """

    name: str
    points: tuple[Inputs, ...]
    training: bool = False
    absolute: bool = True

    @property
    def inputs(self) -> Inputs:
        """The first of the points."""
        return self.points[0]


def regimes(subject: Subject) -> Iterator[Regime]:
    """Yield everyday inputs, small ones, ones far from zero, and nearly equal ones, as far as the domains allow."""
    plain = neighbours(subject, subject.draw())
    yield Regime("everyday values", plain, absolute=False)
    entries = subject.spec.inputs
    floats = [i for i, entry in enumerate(entries) if entry.dtype == "float" and plain[0][i].numel()]
    small = [i for i in floats if _holds_zero(entries[i].domain)]
    if small:
        # Two small inputs are nearly equal ones as well, behind a layer that adds a bias to both.
        name, points = "values of about 1e-4", _changed(plain, small, lambda t, _: SMALL * t)
        yield Regime(name, points, absolute=len(floats) > 1)
    unbounded = [i for i in floats if isinstance(entries[i].domain, Real)]
    if unbounded:
        yield Regime("values around 1000", _changed(plain, unbounded, lambda t, _: t + OFFSET))
    convex = [i for i in floats if isinstance(entries[i].domain, Real | Interval | Simplex | Sorted)]
    first = convex[0] if convex else 0
    pairs = [i for i in convex[1:] if plain[0][i].shape == plain[0][first].shape]
    if pairs:
        near = _changed(plain, pairs, lambda t, inputs: inputs[first] * (1 - NEAR) + t * NEAR)
        yield Regime("inputs that differ by a thousandth", near)
    elif convex and plain[0][first].ndim > 1:
        near = _changed(plain, [first], lambda t, _: t[:1] * (1 - NEAR) + t * NEAR)
        yield Regime("rows that differ by a thousandth", near)


def neighbours(subject: Subject, inputs: Inputs) -> tuple[Inputs, ...]:
    """Return ``inputs`` and points nearby, in the domains as far as those are convex."""
    movable = [_is_convex(entry.domain) for entry in subject.spec.inputs]
    points = [inputs]
    for seed in range(1, NEIGHBOURS):
        others = subject.draw(seed=seed)
        points.append(
            tuple(
                t + APART * (other - t) if t.is_floating_point() and convex and t.shape == other.shape else t
                for t, other, convex in zip(inputs, others, movable, strict=True)
            )
        )
    return tuple(points)


def _changed(
    points: tuple[Inputs, ...], which: list[int], change: Callable[[Tensor, Inputs], Tensor]
) -> tuple[Inputs, ...]:
    return tuple(tuple(change(t, point) if i in which else t for i, t in enumerate(point)) for point in points)


def _is_convex(domain: object) -> bool:
    return isinstance(domain, Real | Interval | Simplex | Sorted)


def _holds_zero(domain: object) -> bool:
    return isinstance(domain, Real) or (isinstance(domain, Interval) and domain.low <= 0 <= domain.high)
