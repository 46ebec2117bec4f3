"""Where two functions are compared: everyday points of several sizes, large and small values, edges of the domain."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from verifykit.identify.agreement.edges import fillings, is_unbounded, rounded, scaled_to
from verifykit.spec.subject import Subject

MAGNITUDES = (1e-3, 10.0, 100.0, 1000.0)
# Far beyond what rounding leaves exact, where only what is clamped or cut off shows.
HUGE = 1e5
SMALL = f"values about {MAGNITUDES[0]:g}"

# More sizes than these of one symbol are not tried, nor greater ones than this many times the usual elements.
GREATEST = 33
# Numbers between these may be limits of sizes, so many of them are tried, with so many elements.
LIMIT, LONGEST, LIMITS, ELEMENTS = 8, 1024, 3, 60_000


@dataclass(frozen=True)
class Point:
    """Inputs, exact in single precision but at an edge; ``draw`` numbers the values of the parameters, 0 being those of
    the facts, those below 0 wild ones.

    ``where`` completes "compared at …". An ``edge`` may be a kink, or where a function ends; a ``large`` one may
    overflow, a ``huge`` one loses digits as well.
    """

    where: str
    sizes: Mapping[str, int]
    inputs: tuple[Tensor, ...]
    draw: int = 0
    seed: int = 0
    edge: bool = False
    large: bool = False
    huge: bool = False


def everyday(subject: Subject) -> Iterator[Point]:
    """Yield drawn values: at the usual sizes twice, at other sizes, with size 1 where a size is free."""
    usual = subject.spec.usual_sizes
    yield _drawn(subject, "usual sizes", usual, 1)
    yield _drawn(subject, "usual sizes", usual, 2)
    for seed, sizes in enumerate(_other_sizes(usual), 3):
        yield _drawn(subject, "other sizes", sizes, seed)
    yield _drawn(subject, "usual sizes", usual, 40)


def wild(subject: Subject) -> Iterator[Point]:
    """Yield drawn values at large parameters of either sign."""
    for count in (1, 2):
        point = _drawn(subject, "large parameters of either sign", subject.spec.usual_sizes, 72 + count)
        yield replace(point, draw=-count, large=True)


def long(subject: Subject, numbers: Sequence[float]) -> Iterator[Point]:
    """Yield drawn values at sizes just beyond those whole ``numbers`` that may be limits of a size, for each symbol."""
    usual = subject.spec.usual_sizes
    elements = sum(t.numel() for t in subject.draw())
    limits = sorted({abs(int(n)) for n in numbers if float(n).is_integer() and LIMIT <= abs(n) <= LONGEST})
    for limit in limits[:LIMITS]:
        for symbol, size in usual.items():
            for longer in (limit + 2, 2 * limit):  # windows may have to fit
                if longer > size and longer * elements <= ELEMENTS * size:
                    yield _drawn(subject, "other sizes", {**usual, symbol: longer}, 75)


def unusual(subject: Subject, numbers: Sequence[float] = ()) -> Iterator[Point]:
    """Yield small and large magnitudes and the edges of the domains; ``numbers`` are those where the functions may
    change: constants of theirs.
    """
    spec, sizes = subject.spec, subject.spec.usual_sizes
    plain = subject.draw(seed=50)
    reals = [position for position, entry in enumerate(spec.inputs) if is_unbounded(entry)]
    for count, magnitude in enumerate(MAGNITUDES if reals else ()):
        drawn = subject.draw(seed=60 + count)
        inputs = [scaled_to(spec.inputs[i], t, magnitude) if i in reals else t for i, t in enumerate(drawn)]
        yield _point(f"values about {magnitude:g}", sizes, inputs, 60 + count, edge=False, large=magnitude > 1)
    if reals:
        huge = [scaled_to(spec.inputs[i], t, HUGE) if i in reals else t for i, t in enumerate(subject.draw(seed=71))]
        yield replace(_point(f"values about {HUGE:g}", sizes, huge, 71, large=True), huge=True)
        drawn = subject.draw(seed=70)
        inputs = [t + 100.0 if i in reals else t for i, t in enumerate(drawn)]
        yield _point("values near 100", sizes, inputs, 70, edge=False, large=True)
    known = {**spec.bound, **sizes}
    filled_by = [fillings(entry, plain[i], known, numbers) for i, entry in enumerate(spec.inputs)]
    for count, where in enumerate(dict.fromkeys(label for filling in filled_by for label in filling)):
        filled = [filling.get(where, t) for filling, t in zip(filled_by, plain, strict=True)]
        yield _point(where, sizes, filled, 80 + count, edge=True)
        if sum(where in filling for filling in filled_by) > 1:
            for only, filling in enumerate(filled_by):
                if where in filling:
                    name = spec.inputs[only].name
                    one = [filling[where] if i == only else t for i, t in enumerate(plain)]
                    yield _point(f"{where} of {name}", sizes, one, 100 + count, edge=True)
    yield from _equal_inputs(subject, plain, sizes)


def ones(subject: Subject) -> Point:
    """Return a point at which every floating-point input is one, where its domain has that."""
    inputs = [
        torch.ones_like(t) if is_unbounded(entry) else t
        for entry, t in zip(subject.spec.inputs, subject.draw(seed=1), strict=True)
    ]
    return _point("ones", subject.spec.usual_sizes, inputs, 1)


def not_finite(subject: Subject) -> Iterator[Point]:
    """Yield points with one element of the floating-point inputs that is NaN, inf or -inf."""
    for value in (math.nan, math.inf, -math.inf):
        inputs = [t.clone() for t in subject.draw(seed=120)]
        for tensor in inputs:
            if tensor.is_floating_point() and tensor.numel():
                tensor.view(-1)[tensor.numel() // 2] = value
        if any(t.is_floating_point() for t in inputs):
            yield _point(f"{value}", subject.spec.usual_sizes, inputs, 120, edge=True)


def small(subject: Subject, numbers: Sequence[float] = ()) -> Iterator[Point]:
    """Yield points that are easy to read, the easiest first: small sizes, round values."""
    spec, usual = subject.spec, subject.spec.usual_sizes
    for sizes in (dict.fromkeys(usual, 1), dict.fromkeys(usual, 2), dict(usual)):
        known = {**spec.bound, **sizes}
        try:
            for seed in range(130, 133):
                drawn = subject.draw(sizes, seed=seed)
                yield _point("", sizes, [rounded(e, t) for e, t in zip(spec.inputs, drawn, strict=True)], seed)
            filled_by = [fillings(e, drawn[i], known, numbers) for i, e in enumerate(spec.inputs)]
            for where in dict.fromkeys(label for filling in filled_by for label in filling):
                inputs = [filling.get(where, t) for filling, t in zip(filled_by, drawn, strict=True)]
                yield _point(where, sizes, inputs, 133, edge=True)
            yield _point("", sizes, drawn, 134)
            large = [
                rounded(e, t) * (MAGNITUDES[-1] if is_unbounded(e) else 1)
                for e, t in zip(spec.inputs, drawn, strict=True)
            ]
            yield _point(f"values about {MAGNITUDES[-1]:g}", sizes, large, 134, large=True)
        except (ValueError, RuntimeError):  # sizes of which its shapes cannot be made
            continue


def _other_sizes(usual: Mapping[str, int]) -> Iterator[dict[str, int]]:
    if not usual:
        return
    yield {name: size + 1 for name, size in usual.items()}
    yield dict.fromkeys(usual, 2)
    yield dict.fromkeys(usual, 1)
    if len(usual) > 1:
        for name in usual:
            yield {**usual, name: 1}
        yield dict(zip(usual, reversed([*usual.values()]), strict=True))
    first = next(iter(usual))
    yield {**usual, first: GREATEST}


def _drawn(subject: Subject, where: str, sizes: Mapping[str, int], seed: int) -> Point:
    return _point(where, sizes, subject.draw(sizes, seed=seed), seed, edge=False)


def _point(
    where: str,
    sizes: Mapping[str, int],
    inputs: Sequence[Tensor],
    seed: int,
    *,
    edge: bool = False,
    large: bool = False,
) -> Point:
    # At an edge it must be exactly the number at which a function changes.
    kept = tuple(inputs) if edge else tuple(_exact(t) for t in inputs)
    return Point(where, dict(sizes), kept, seed % 3, seed, edge, large)


def _exact(tensor: Tensor) -> Tensor:
    """The nearest values that single precision holds, so that both precisions see the same point."""
    if tensor.is_complex():
        return tensor.to(torch.complex64).to(torch.complex128)
    return tensor.float().double() if tensor.is_floating_point() else tensor


def _equal_inputs(subject: Subject, plain: Sequence[Tensor], sizes: Mapping[str, int]) -> Iterator[Point]:
    """Points at which two inputs of one kind are the same."""
    entries = subject.spec.inputs
    for later in range(1, len(entries)):
        for earlier in range(later):
            one, other = entries[earlier], entries[later]
            if one.domain == other.domain and one.dtype == other.dtype and plain[earlier].shape == plain[later].shape:
                inputs = [plain[earlier] if i == later else t for i, t in enumerate(plain)]
                yield _point(f"{one.name} equal to {other.name}", sizes, inputs, 110, edge=True)
