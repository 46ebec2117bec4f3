"""What a complaint says about the inputs that it is about: entries changed as it suggests."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

from verifykit.spec.dims import Dim
from verifykit.spec.domain import Below, Boolean, Interval, OneOf, Real, Sorted
from verifykit.spec.inference.names import SIGNS
from verifykit.spec.inference.trying import Entries
from verifykit.spec.model import InputSpec, Spec

# No size above this is taken from a complaint.
LARGEST = 4096


def repaired(entries: Entries, spec: Spec, error: Exception) -> Iterator[Entries]:
    """Entries changed as the complaint suggests: another dtype, another range, another number of dimensions, a size
    that it names replaced by another that it names, larger sizes. What is said of one input may hold for all that are
    alike, which is tried first.
    """
    told = str(error)
    yield from _other_ranges(entries, spec, told)
    yield from _other_types(entries, told)
    yield from _other_ranks(entries, told)
    yield from _larger(entries, told)
    yield from _other_sizes(entries, spec, told)


def _other_ranges(entries: Entries, spec: Spec, told: str) -> Iterator[Entries]:
    """Integers below what it says, or below one of the constructor's sizes."""
    if not (within := re.search(r"\[0, ?(\d+)\)", told)) and not re.search(r"out of (bounds|range)", told):
        return
    bounds: list[Dim] = [max(int(within[1]), 1)] if within else [*spec.bound]
    bounds.sort(key=lambda bound: not re.search("class|label|token|vocab|embed", str(bound)))
    for index, entry in enumerate(entries):
        if entry.dtype == "long":
            for bound in bounds:
                yield _with(entries, index, replace(entry, domain=Below(bound)))


def _other_types(entries: Entries, told: str) -> Iterator[Entries]:
    wants_long = re.search(
        r"expect.*(\blong|\bint|scalar type Long)|must be (integer|long)|tensors used as indices must be|long or int"
        r"|got \w*(Float|Double)|'torch\.(Double|Float)Tensor'",
        told,
        re.IGNORECASE,
    )
    for index, entry in enumerate(entries):
        if wants_long and entry.dtype == "float":
            yield _with(entries, index, replace(entry, dtype="long", domain=Below(2)))
        if entry.dtype == "long" and re.search(r"(expected|required).*(Float|Double|floating)", told):
            yield _with(entries, index, replace(entry, dtype="float", domain=Real()))
        if isinstance(entry.domain, Real | Below) and entry.dtype != "complex" and re.search(SIGNS, told):
            yield _with(entries, index, replace(entry, domain=OneOf((-1.0, 1.0))))
        if isinstance(entry.domain, Real) and entry.dtype == "float":
            if re.search(r"\b(sorted|increasing|ascending|monoton)", told, re.IGNORECASE):
                yield _with(entries, index, replace(entry, domain=Sorted()))
            if re.search(r"between 0 and 1|in \[0, ?1\]|>= 0 and <= 1|probabilit", told):
                yield _with(entries, index, replace(entry, domain=Interval(0.0, 1.0, True, True)))
            if re.search(r"positive|non-?negative|greater than (or equal to )?0|negative entry", told):
                yield _with(entries, index, replace(entry, domain=Interval(0.0, float("inf"), False, False)))
        if re.search(r"bool", told) and entry.dtype == "float":
            yield _with(entries, index, replace(entry, dtype="bool", domain=Boolean()))


def _other_ranks(entries: Entries, told: str) -> Iterator[Entries]:
    """Ranks that it names: as a number, as spatial dimensions, as a layout such as NCHW, as values to unpack."""
    ranks = [len(layout) for layout in re.findall(r"\b[BN][CNTLHWD]{1,4}\b", told)]
    for plain, spatial in re.findall(r"(\d)(?: dim\w*|-dim\w*)|(\d)(?:[- ]?[Dd]\b| spatial)", told):
        ranks += [int(plain)] if plain else [int(spatial) + 2, int(spatial)]
    ranks += [int(n) for n in re.findall(r"(?:expected|must be|should be|or|unpack \(expected) (\d)\b", told)]
    for rank in dict.fromkeys(ranks):
        if 0 < rank <= 5:
            yield from _alike(entries, partial(_reshaped, rank=rank))


def _reshaped(entry: InputSpec, rank: int) -> InputSpec | None:
    if entry.dtype != "float" or len(entry.shape) == rank:
        return None
    fresh: list[Dim] = [s for s in ("N", "L", "H", "W", "D", "T") if s not in entry.shape]
    return replace(entry, shape=(*entry.shape, *fresh)[:rank])


def _larger(entries: Entries, told: str) -> Iterator[Entries]:
    """Free sizes, the batch aside, as large as a complaint about small ones asks for."""
    if not re.search(
        r"larger|greater|bigger|at least|too small|less than|smaller|exceed|output size|minimum|[<>]",
        told,
        re.IGNORECASE,
    ):
        return
    numbers = sorted({int(n) for n in re.findall(r"(?<![\d.\-])\d{1,4}(?![.\d])", told)}, reverse=True)
    for number in [*numbers[:1], 31]:
        size = number + number // 8 + 1 if number >= 8 else 4 * number + 1
        for kept in (2, 1):  # batch and channels; the batch alone
            grown = tuple(replace(e, shape=_grown(e.shape, kept, size)) for e in entries)
            if size <= LARGEST and grown != entries:
                yield grown


def _grown(shape: tuple[Dim, ...], kept: int, size: int) -> tuple[Dim, ...]:
    kept = min(kept, max(len(shape) - 1, 0))
    return (*shape[:kept], *(size if isinstance(d, int) or len(d) == 1 else d for d in shape[kept:]))


def _other_sizes(entries: Entries, spec: Spec, told: str) -> Iterator[Entries]:
    known = {**spec.bound, **spec.usual_sizes}
    numbers = list(dict.fromkeys(int(n) for n in re.findall(r"(?<![\d.\-])\d{1,4}(?![\d.]\d)", told)))
    places = [
        (index, axis, size) for index, entry in enumerate(entries) for axis, size in enumerate(spec.shape(entry, known))
    ]
    for index, axis, size in reversed(places):
        if size in numbers:
            for number in numbers:
                if number != size and 0 < number <= LARGEST:
                    dim = entries[index].shape[axis]
                    for way in _alike(entries, partial(_resized, axis=axis, dim=dim, size=number), index):
                        yield _bounded(way, dim, number)
    for index, axis, size in reversed(places):  # part of a size that it names, as where inputs are joined
        for has, wants in pairwise(numbers):
            if axis > 0 and has != wants and 0 < size + wants - has <= LARGEST:
                shape = list(entries[index].shape)
                shape[axis] = size + wants - has
                yield _with(entries, index, replace(entries[index], shape=tuple(shape)))


def _resized(entry: InputSpec, axis: int, dim: Dim, size: int) -> InputSpec | None:
    if axis >= len(entry.shape) or entry.shape[axis] != dim:
        return None
    return replace(entry, shape=(*entry.shape[:axis], size, *entry.shape[axis + 1 :]))


def _bounded(entries: Entries, dim: Dim, size: int) -> Entries:
    """Integers below a dimension that is no more are below the size that has taken its place."""
    if any(dim in entry.shape for entry in entries):
        return entries
    return tuple(replace(e, domain=Below(size)) if e.domain == Below(dim) else e for e in entries)


def _alike(
    entries: Entries, change: Callable[[InputSpec], InputSpec | None], only: int | None = None
) -> Iterator[Entries]:
    """Change every entry that can be changed; then one alone, or the one at ``only``."""
    changed = [change(entry) for entry in entries]
    together = tuple(new or old for new, old in zip(changed, entries, strict=True))
    if together != entries:
        yield together
    for index, new in enumerate(changed):
        if new is not None and only in (None, index):
            yield _with(entries, index, new)


def _with(entries: Entries, index: int, entry: InputSpec) -> Entries:
    return (*entries[:index], entry, *entries[index + 1 :])


def usual(init: Mapping[str, Any], entries: Sequence[InputSpec]) -> dict[str, int]:
    """Sizes of all symbols at the usual sizes."""
    spec = Spec(init, tuple(entries))
    return {**spec.bound, **spec.usual_sizes}
